#include "run/known_results.h"

#include <fmt/format.h>

#include <optional>
#include <set>
#include <string>
#include <tuple>

#include "run/planner.h"
#include "store/index.h"
#include "store/ledger.h"

namespace assay {
namespace {

/// What a leg asks, whatever the cell: phase, prompt, settings, concurrency, rate.
using Question = std::tuple<Phase, std::string, std::string, int64_t, std::optional<double>>;

/// What the plan asks of a cell.
std::set<Question> questions_for(const RunMeta& meta, int64_t cell) {
  std::set<Question> questions;
  for (const Leg& leg : meta.legs) {
    if (leg.cell != cell || leg.phase == Phase::kWarmup || leg.phase == Phase::kSkipped) continue;
    if (!leg.skip.empty() || leg.prompt < 0) continue;
    questions.emplace(leg.phase, meta.prompts[static_cast<size_t>(leg.prompt)].id,
                      leg.settings_hash, leg.concurrency, leg.request_rate);
  }
  return questions;
}

std::optional<int64_t> find_cell(const RunMeta& meta, const Cell& wanted) {
  for (size_t i = 0; i < meta.cells.size(); ++i) {
    const Cell& cell = meta.cells[i];
    if (cell.id == wanted.id && cell.digest == wanted.digest && cell.version == wanted.version) {
      return static_cast<int64_t>(i);
    }
  }
  return std::nullopt;
}

/// Id of the newest run that answers all of `questions` for `cell`, or empty.
Result<std::string> answered_by(RunIndex& index, const RunMeta& plan, const Cell& cell,
                                const std::set<Question>& questions) {
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
    if (!there || questions_for(*earlier, *there) != questions) continue;
    const auto ok = index.ok_calls(run.run_id, cell.id);
    if (!ok) return fail(ok.error());
    if (*ok > 0) return run.run_id;
  }
  return std::string();
}

}  // namespace

Result<int64_t> skip_known_results(const std::filesystem::path& data_dir, const RunSpec& spec,
                                   RunMeta& meta) {
  // What would be asked; lengths that depend on the models' speed change no setting.
  RunMeta plan = meta;
  if (auto planned = make_plan(spec, plan); !planned) return fail(planned.error());
  auto index = RunIndex::open(data_dir);
  if (!index) return fail(index.error());
  int64_t known = 0;
  for (size_t i = 0; i < meta.cells.size(); ++i) {
    Cell& cell = meta.cells[i];
    const std::set<Question> questions = questions_for(plan, static_cast<int64_t>(i));
    if (!cell.unavailable.empty() || questions.empty()) continue;
    const auto run = answered_by(*index, plan, cell, questions);
    if (!run) return fail(run.error());
    if (run->empty()) continue;
    cell.unavailable =
        fmt::format("has results in run {} (--force measures again)", run->substr(0, 8));
    ++known;
  }
  return known;
}

}  // namespace assay
