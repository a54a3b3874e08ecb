#include <fmt/format.h>

#include <charconv>
#include <nlohmann/json.hpp>

#include "base/clock.h"
#include "base/text.h"
#include "cli/command.h"
#include "cli/exit_codes.h"
#include "cli/run_progress.h"
#include "cli/show_run.h"
#include "stats/metrics.h"
#include "stats/restarts.h"
#include "store/ledger.h"
#include "store/state.h"

namespace assay {
namespace {

using Json = nlohmann::ordered_json;
constexpr int64_t kUsualPairs = 5;
constexpr int64_t kMostPairs = 50;

Result<int64_t> pairs_of(const Invocation& invocation) {
  const std::string text = invocation.value("pairs", std::to_string(kUsualPairs));
  int64_t pairs = 0;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), pairs);
  if (error != std::errc() || end != text.data() + text.size() || pairs < 2 || pairs > kMostPairs) {
    return fail(Errc::kInvalidArgument, fmt::format("--pairs '{}' is not between 2 and {}",
                                                    printable(text, 20), kMostPairs));
  }
  return pairs;
}

void print_floors(const RunSpec& spec, const std::vector<NoiseFloor>& floors,
                  const std::string& run_id) {
  if (spec.json) {
    Json list = Json::array();
    for (const NoiseFloor& f : floors) {
      list.push_back({{"cell_id", printable(f.cell_id)},
                      {"metric", f.metric},
                      {"share", f.share},
                      {"pairs", f.pairs}});
    }
    const Json document{
        {"schema", "assay.noise/1"}, {"run_id", run_id}, {"noise_floors", std::move(list)}};
    fmt::print("{}\n", document.dump(2, ' ', false, Json::error_handler_t::replace));
    return;
  }
  std::string cell;
  for (const NoiseFloor& f : floors) {
    if (f.cell_id != cell) fmt::print("Noise floor of {}\n", printable(f.cell_id, 60));
    cell = f.cell_id;
    const Metric* metric = find_metric(f.metric);
    fmt::print("    {:<16} {:>5.1f} %  {} identical pairs\n", metric->label, f.share * 100,
               f.pairs);
  }
  fmt::print("Comparisons here take less than twice that for noise.\n");
}

int measure_noise(const Invocation& invocation) {
  const auto pairs = pairs_of(invocation);
  if (!pairs) return report_failure(pairs.error());
  RunSpec spec = invocation.spec;
  spec.restarts = 2 * *pairs;
  RunProgress progress(spec);
  const auto measured = measure(spec, progress.hooks());
  progress.clear();
  if (!measured) return report_failure(measured.error());
  if (measured->result.state != "completed") {
    return report_failure(
        Error(Errc::kCancelled, "the noise was not measured: the run was not completed"));
  }
  const auto ledger = read_ledger(measured->paths.ledger);
  if (!ledger) return report_failure(ledger.error());
  std::vector<NoiseFloor> floors;
  for (const IdenticalPairs& found : noise_floors(group_legs(*ledger).legs)) {
    floors.push_back({ledger->meta.host, found.cell_id, std::string(found.metric), found.share,
                      found.pairs, utc_text(wall_now_ns())});
  }
  if (floors.empty()) {
    return report_failure(Error(
        Errc::kProtocol, "no metric has a value after every load",
        fmt::format("'assay runs show {}' shows what happened", measured->run_id.substr(0, 8))));
  }
  const auto data_dir = data_dir_of(spec);
  if (!data_dir) return report_failure(data_dir.error());
  const std::vector<Fact> facts(floors.begin(), floors.end());
  if (auto added = add_to_state(*data_dir, facts); !added) return report_failure(added.error());
  print_floors(spec, floors, measured->run_id);
  return exit_code::kDone;
}

}  // namespace

int command_doctor(Invocation& invocation) {
  if (invocation.has("noise")) return measure_noise(invocation);
  return report_failure(Error(Errc::kInvalidArgument, "say what to look at",
                              "'assay doctor --noise' measures how far identical runs lie apart"));
}

}  // namespace assay
