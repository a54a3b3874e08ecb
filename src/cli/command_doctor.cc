#include <fmt/format.h>

#include <charconv>
#include <nlohmann/json.hpp>

#include "base/clock.h"
#include "base/text.h"
#include "cli/command.h"
#include "cli/exit_codes.h"
#include "cli/run_progress.h"
#include "cli/show_run.h"
#include "run/doctor.h"
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

void print_checks_json(const std::vector<DoctorCheck>& checks) {
  Json list = Json::array();
  for (const DoctorCheck& check : checks) {
    list.push_back({{"name", check.name},
                    {"health", to_text(check.health)},
                    {"found", check.found},
                    {"advice", check.advice.empty() ? Json(nullptr) : Json(check.advice)}});
  }
  const Json document{{"schema", "assay.doctor/1"}, {"checks", std::move(list)}};
  fmt::print("{}\n", document.dump(2, ' ', false, Json::error_handler_t::replace));
}

/// Whether this machine is fit to be measured on.
int examine(const Invocation& invocation) {
  const auto bands = parse_heat_bands(invocation.spec.heat_bands);
  if (!bands) return report_failure(bands.error());
  const std::vector<DoctorCheck> checks = examine_machine(machine_roots(), *bands);
  if (invocation.spec.json) {
    print_checks_json(checks);
    return exit_code::kDone;
  }
  int64_t warnings = 0;
  int64_t unknown = 0;
  for (const DoctorCheck& check : checks) {
    fmt::print("{:<8} {:<13} {}\n", to_text(check.health), check.name, check.found);
    if (!check.advice.empty()) fmt::print("{:<22} -> {}\n", "", check.advice);
    warnings += check.health == Health::kWarn ? 1 : 0;
    unknown += check.health == Health::kUnknown ? 1 : 0;
  }
  fmt::print("{}\n", doctor_verdict(warnings, unknown, std::ssize(checks)));
  fmt::print("'assay doctor --noise' measures how far identical runs lie apart.\n");
  return exit_code::kDone;
}

}  // namespace

int command_doctor(Invocation& invocation) {
  if (invocation.has("noise")) return measure_noise(invocation);
  if (invocation.has("pairs")) {
    return report_failure(Error(Errc::kInvalidArgument, "--pairs is of --noise",
                                "'assay doctor --noise --pairs 3' measures three"));
  }
  return examine(invocation);
}

}  // namespace assay
