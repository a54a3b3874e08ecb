#include <fmt/format.h>

#include <optional>

#include "base/text.h"
#include "cli/command.h"
#include "cli/completion.h"
#include "cli/exit_codes.h"
#include "cli/show_run.h"
#include "run/config.h"
#include "store/index.h"
#include "store/state.h"

namespace assay {
namespace {

constexpr int64_t kMostRuns = 50;
constexpr size_t kShortId = 8;

/// The data directory that a run here would use. A fault in the configuration is not told here: it
/// would stand in the middle of somebody's command line.
std::optional<std::filesystem::path> data_dir_here(RunSpec spec) {
  std::vector<std::string> faults;
  apply_settings(read_settings(std::nullopt, faults), spec, faults);
  const auto data_dir = data_dir_of(spec);
  if (!data_dir) return std::nullopt;
  return *data_dir;
}

/// Newest first.
std::vector<Candidate> kept_runs(const RunSpec& spec, std::string_view typed) {
  const auto data_dir = data_dir_here(spec);
  std::error_code ignored;
  if (!data_dir || !std::filesystem::exists(*data_dir, ignored)) return {};
  auto index = RunIndex::open(*data_dir);
  if (!index || !index->sync()) return {};
  const auto rows = index->list_runs({.limit = kMostRuns});
  if (!rows) return {};
  std::vector<Candidate> found;
  for (const RunRow& row : *rows) {
    const bool is_short = typed.size() <= kShortId;
    found.push_back({is_short ? row.run_id.substr(0, kShortId) : row.run_id,
                     fmt::format("{} {} {}", row.started_at_utc.substr(0, 16), row.suite,
                                 row.cells.empty() ? "" : row.cells[0])});
  }
  return found;
}

std::vector<Candidate> kept_baselines(const RunSpec& spec) {
  const auto data_dir = data_dir_here(spec);
  if (!data_dir) return {};
  const auto state = read_state(*data_dir);
  if (!state) return {};
  std::vector<Candidate> found;
  for (const auto& [name, baseline] : state->all<Baseline>()) {
    const std::string run = baseline.run_id.value_or("").substr(0, kShortId);
    found.push_back({name, fmt::format("baseline, run {}", run)});
  }
  return found;
}

int print_words(const Invocation& invocation) {
  const auto given = invocation.arguments.find("WORD");
  if (given == invocation.arguments.end() || given->second.empty()) return exit_code::kDone;
  const std::vector<std::string>& words = given->second;
  const RunSpec& spec = invocation.spec;
  const Completion found = complete(words, {.runs = [&] { return kept_runs(spec, words.back()); },
                                            .baselines = [&] { return kept_baselines(spec); }});
  const bool files = found.paths == Completion::Paths::kFiles;
  const bool directories = found.paths == Completion::Paths::kDirectories;
  fmt::print("{}\n", files ? "files" : directories ? "directories" : "none");
  for (const Candidate& each : found.candidates) {
    fmt::print("{}\t{}\n", printable(each.word, 200), printable(each.help, 200));
  }
  return exit_code::kDone;
}

}  // namespace

int command_completion(Invocation& invocation) {
  const std::string shell = invocation.argument("SHELL");
  if (shell == "words") return print_words(invocation);
  const std::string_view script = completion_script(shell);
  if (script.empty()) {
    return report_failure(
        Error(Errc::kInvalidArgument,
              fmt::format("there is no completion for '{}'", printable(shell, 40)),
              "shells are bash, zsh and fish"));
  }
  fmt::print("{}", script);
  return exit_code::kDone;
}

}  // namespace assay
