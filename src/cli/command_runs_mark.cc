#include <fmt/format.h>

#include <charconv>

#include "base/clock.h"
#include "base/text.h"
#include "cli/command.h"
#include "cli/exit_codes.h"
#include "cli/named_run.h"
#include "cli/show_run.h"
#include "store/state.h"

namespace assay {
namespace {

constexpr size_t kMaxNote = 400;

/// Absent without --leg.
Result<std::optional<int64_t>> leg_of(const Invocation& invocation, const RunMeta& meta) {
  if (!invocation.has("leg")) return std::optional<int64_t>();
  const std::string text = invocation.value("leg");
  int64_t leg = 0;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), leg);
  const auto legs = static_cast<int64_t>(meta.legs.size());
  if (error != std::errc() || end != text.data() + text.size() || leg < 0 || leg >= legs) {
    return fail(Errc::kInvalidArgument, fmt::format("--leg '{}' is none of the run's legs, 0 to {}",
                                                    printable(text, 40), legs - 1));
  }
  return std::optional(leg);
}

}  // namespace

int command_runs_mark(Invocation& invocation) {
  const std::string word = invocation.argument("MARK");
  if (!is_plain_name(word)) {
    return report_failure(Error(
        Errc::kInvalidArgument, fmt::format("'{}' is no mark", printable(word, kMaxPlainName)),
        "use up to 40 letters, digits, '.', '-' and '_', and --note for more"));
  }
  const auto run = load_named_run(invocation.spec, invocation.argument("RUN"));
  if (!run) return report_failure(run.error());
  if (run->named.run_id.empty()) {
    return report_failure(Error(Errc::kInvalidArgument, "a path cannot be marked, a run can",
                                "'assay runs list' shows the runs"));
  }
  const auto leg = leg_of(invocation, run->model.meta);
  if (!leg) return report_failure(leg.error());
  const auto data_dir = data_dir_of(invocation.spec);
  if (!data_dir) return report_failure(data_dir.error());
  const Mark mark{run->named.run_id,
                  *leg,
                  word,
                  printable(invocation.value("note"), kMaxNote),
                  !invocation.has("off"),
                  utc_text(wall_now_ns())};
  if (auto added = add_to_state(*data_dir, {mark}); !added) return report_failure(added.error());
  if (!invocation.spec.quiet) {
    fmt::print("run {}{} is {} '{}'\n", mark.run_id,
               mark.leg ? fmt::format(" leg {}", *mark.leg) : std::string(),
               mark.set ? "marked" : "no longer marked", word);
  }
  return exit_code::kDone;
}

}  // namespace assay
