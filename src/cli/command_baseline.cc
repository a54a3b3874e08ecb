#include <fmt/format.h>

#include <nlohmann/json.hpp>

#include "base/clock.h"
#include "base/text.h"
#include "cli/command.h"
#include "cli/exit_codes.h"
#include "cli/named_run.h"
#include "cli/show_run.h"
#include "store/state.h"

namespace assay {
namespace {

using Json = nlohmann::ordered_json;

Result<std::string> name_of(const Invocation& invocation) {
  std::string name = invocation.value("name", std::string(kDefaultBaseline));
  if (!is_plain_name(name) || name == "last") {
    return fail(Errc::kInvalidArgument,
                fmt::format("'{}' is no name for a baseline", printable(name, kMaxPlainName)),
                "use up to 40 letters, digits, '.', '-' and '_'");
  }
  return name;
}

}  // namespace

int command_baseline_set(Invocation& invocation) {
  const auto name = name_of(invocation);
  if (!name) return report_failure(name.error());
  const auto run = find_named_run(invocation.spec, invocation.argument("RUN"));
  if (!run) return report_failure(run.error());
  if (run->run_id.empty()) {
    return report_failure(Error(Errc::kInvalidArgument, "a baseline is a run, not a path",
                                "'assay runs list' shows the runs"));
  }
  const auto data_dir = data_dir_of(invocation.spec);
  if (!data_dir) return report_failure(data_dir.error());
  const Baseline fact{*name, run->run_id, utc_text(wall_now_ns())};
  if (auto added = add_to_state(*data_dir, {fact}); !added) return report_failure(added.error());
  if (!invocation.spec.quiet) {
    fmt::print("{} is now run {}\nNext    assay compare {} last\n", *name, run->run_id, *name);
  }
  return exit_code::kDone;
}

int command_baseline_list(Invocation& invocation) {
  const auto data_dir = data_dir_of(invocation.spec);
  if (!data_dir) return report_failure(data_dir.error());
  const auto state = read_state(*data_dir);
  if (!state) return report_failure(state.error());
  if (invocation.spec.json) {
    Json list = Json::array();
    for (const auto& [name, b] : state->all<Baseline>()) {
      list.push_back({{"name", name}, {"run_id", *b.run_id}, {"set_at_utc", b.set_at_utc}});
    }
    const Json document{{"schema", "assay.baselines/1"}, {"baselines", std::move(list)}};
    fmt::print("{}\n", document.dump(2, ' ', false, Json::error_handler_t::replace));
    return exit_code::kDone;
  }
  if (state->all<Baseline>().empty()) {
    fmt::print(stderr, "no baselines yet: 'assay baseline set RUN' makes one\n");
  }
  for (const auto& [name, b] : state->all<Baseline>()) {
    fmt::print("{:<20} {}  set {}\n", printable(name, kMaxPlainName), printable(*b.run_id, 36),
               printable(b.set_at_utc, 24));
  }
  return exit_code::kDone;
}

int command_baseline_rm(Invocation& invocation) {
  const auto data_dir = data_dir_of(invocation.spec);
  if (!data_dir) return report_failure(data_dir.error());
  const auto state = read_state(*data_dir);
  if (!state) return report_failure(state.error());
  const std::string name = invocation.argument("NAME");
  if (!state->all<Baseline>().contains(name)) {
    return report_failure(Error(
        Errc::kNotFound, fmt::format("there is no baseline '{}'", printable(name, kMaxPlainName)),
        "'assay baseline list' shows them"));
  }
  const Baseline tombstone{name, std::nullopt, utc_text(wall_now_ns())};
  if (auto added = add_to_state(*data_dir, {tombstone}); !added)
    return report_failure(added.error());
  if (!invocation.spec.quiet) fmt::print("{} means no run any more; the run is kept\n", name);
  return exit_code::kDone;
}

}  // namespace assay
