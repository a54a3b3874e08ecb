#include "run/known_results.h"

#include <fmt/format.h>

#include <algorithm>
#include <map>
#include <optional>
#include <set>
#include <string>
#include <tuple>

#include "run/sustain.h"
#include "store/index.h"
#include "store/ledger.h"
#include "store/state.h"

namespace assay {
namespace {

/// What a leg asks, whatever the cell: phase, prompt, settings, concurrency, rate, --sustain.
using Question = std::tuple<Phase, std::string, std::string, int64_t, std::optional<double>,
                            std::optional<double>>;

/// What the plan asks of a cell, each with one of its legs.
std::map<Question, int64_t> questions_for(const RunMeta& meta, int64_t cell) {
  std::map<Question, int64_t> questions;
  for (size_t i = 0; i < meta.legs.size(); ++i) {
    const Leg& leg = meta.legs[i];
    if (leg.cell != cell || leg.phase == Phase::kWarmup || leg.phase == Phase::kSkipped) continue;
    if (!leg.skip.empty() || leg.prompt < 0) continue;
    questions.try_emplace(
        Question(leg.phase, meta.prompts[static_cast<size_t>(leg.prompt)].id, leg.settings_hash,
                 leg.concurrency, leg.request_rate, leg.sustain_s),
        static_cast<int64_t>(i));
  }
  return questions;
}

/// Whether an earlier run of the cell asked all of this, and each was answered. What the budget cut
/// off was not.
bool answers_all(const std::map<Question, int64_t>& questions,
                 const std::map<Question, int64_t>& earlier, const std::set<int64_t>& answered) {
  return std::ranges::all_of(questions, [&](const auto& question) {
    const auto there = earlier.find(question.first);
    return there != earlier.end() && answered.contains(there->second);
  });
}

std::optional<int64_t> find_cell(const RunMeta& meta, const Cell& wanted) {
  for (size_t i = 0; i < meta.cells.size(); ++i) {
    const Cell& cell = meta.cells[i];
    // A file of ours that was replaced keeps its name.
    const bool same_file = !wanted.managed || cell.model_bytes == wanted.model_bytes;
    if (cell.id == wanted.id && cell.digest == wanted.digest && cell.version == wanted.version &&
        same_file) {
      return static_cast<int64_t>(i);
    }
  }
  return std::nullopt;
}

/// Legs of a run whose answers stand: those that a person marked `invalid` do not, and of a run
/// that is marked so none does.
std::set<int64_t> standing(const State& state, const std::string& run_id,
                           std::set<int64_t> answered) {
  for (const auto& [key, mark] : state.all<Mark>()) {
    if (mark.run_id != run_id || mark.mark != kInvalidMark) continue;
    if (!mark.leg) return {};
    answered.erase(*mark.leg);
  }
  return answered;
}

/// Id of the newest run that answers all of `questions` for `cell`, or empty.
Result<std::string> answered_by(RunIndex& index, const State& state, const RunMeta& plan,
                                const Cell& cell, const std::map<Question, int64_t>& questions) {
  RunFilter filter;
  filter.state = "completed";
  filter.suite = plan.suite;
  filter.cell = cell.id;
  filter.limit = kKnownRuns;
  const auto runs = index.list_runs(filter);
  if (!runs) return fail(runs.error());
  for (const RunRow& run : *runs) {
    const auto earlier = read_ledger_meta(run.ledger_path);
    if (!earlier || earlier->suite_rev != plan.suite_rev) continue;
    const auto there = find_cell(*earlier, cell);
    if (!there) continue;
    const auto answered = index.answered_legs(run.run_id, cell.id);
    if (!answered) return fail(answered.error());
    const auto stands = standing(state, run.run_id, *answered);
    if (answers_all(questions, questions_for(*earlier, *there), stands)) return run.run_id;
  }
  return std::string();
}

}  // namespace

Result<int64_t> skip_known_results(const std::filesystem::path& data_dir, const RunSpec& spec,
                                   RunMeta& meta, std::span<const Variant> variants,
                                   const FitOf& fit) {
  // What would be asked; lengths that depend on the models' speed change no setting.
  RunMeta plan = meta;
  if (auto planned = make_plan(spec, plan, variants, fit); !planned) return fail(planned.error());
  sustain_legs(spec, plan);
  auto index = RunIndex::open(data_dir);
  if (!index) return fail(index.error());
  const auto state = read_state(data_dir);
  if (!state) return fail(state.error());
  int64_t known = 0;
  for (size_t i = 0; i < meta.cells.size(); ++i) {
    Cell& cell = meta.cells[i];
    const auto questions = questions_for(plan, static_cast<int64_t>(i));
    if (!cell.unavailable.empty() || questions.empty()) continue;
    const auto run = answered_by(*index, *state, plan, cell, questions);
    if (!run) return fail(run.error());
    if (run->empty()) continue;
    cell.unavailable = fmt::format("run {} has results", run->substr(0, 8));
    cell.known_in = *run;
    ++known;
  }
  return known;
}

}  // namespace assay
