#include "run/model_reset.h"

#include <algorithm>
#include <iterator>
#include <string_view>
#include <utility>

#include "base/clock.h"
#include "model/run.h"
#include "store/ledger.h"
#include "store/remove_run.h"

namespace assay {
namespace {

constexpr std::string_view kReason = "models reset";

/// What a run has of a model.
struct Share {
  std::vector<int64_t> legs;
  bool others = false;  ///< Another model was measured in it.
};

Share share_of(const RunMeta& meta, const std::string& fingerprint) {
  Share share;
  for (size_t cell = 0; cell < meta.cells.size(); ++cell) {
    const Cell& c = meta.cells[cell];
    if (!c.unavailable.empty()) continue;
    if (c.fingerprint != fingerprint) {
      share.others = true;
      continue;
    }
    for (size_t leg = 0; leg < meta.legs.size(); ++leg) {
      if (meta.legs[leg].cell == static_cast<int64_t>(cell)) {
        share.legs.push_back(static_cast<int64_t>(leg));
      }
    }
  }
  return share;
}

bool is_invalid(const State& state, const std::string& run_id, int64_t leg) {
  return std::ranges::any_of(state.all<Mark>(), [&](const auto& entry) {
    const Mark& mark = entry.second;
    return mark.run_id == run_id && mark.mark == kInvalidMark && mark.leg.value_or(leg) == leg;
  });
}

Result<std::vector<RunRow>> all_runs(RunIndex& index) {
  std::vector<RunRow> all;
  RunFilter page;
  for (;;) {
    auto rows = index.list_runs(page);
    if (!rows) return rows;
    std::ranges::move(*rows, std::back_inserter(all));
    if (static_cast<int64_t>(rows->size()) < page.limit) return all;
    page.offset += page.limit;
  }
}

}  // namespace

Result<ModelRuns> runs_of_model(RunIndex& index, const State& state,
                                const std::string& fingerprint) {
  ModelRuns runs;
  auto rows = all_runs(index);
  if (!rows) return fail(rows.error());
  for (RunRow& row : *rows) {
    const auto meta = read_ledger_meta(row.ledger_path);
    if (!meta) continue;
    Share share = share_of(*meta, fingerprint);
    if (share.legs.empty()) continue;
    if (const auto held = what_holds(state, row.run_id)) {
      runs.kept.push_back({std::move(row), held->message});
    } else if (!share.others) {
      runs.own.push_back(std::move(row));
    } else {
      std::erase_if(share.legs, [&](int64_t leg) { return is_invalid(state, row.run_id, leg); });
      if (!share.legs.empty()) runs.shared.push_back({std::move(row), std::move(share.legs)});
    }
  }
  return runs;
}

Result<void> reset_model(const std::filesystem::path& data_dir, RunIndex& index,
                         const std::string& fingerprint, const ModelRuns& runs) {
  const std::string now = utc_text(wall_now_ns());
  std::vector<Fact> facts;
  for (const auto& [run, legs] : runs.shared) {
    for (const int64_t leg : legs) {
      facts.emplace_back(
          Mark{run.run_id, leg, std::string(kInvalidMark), std::string(kReason), true, now});
    }
  }
  ModelReset reset{fingerprint, {}, now};
  Result<void> outcome;
  for (const RunRow& row : runs.own) {
    outcome = remove_run(data_dir, row.run_id, std::string(kReason));
    if (!outcome) break;
    reset.run_ids.push_back(row.run_id);
    outcome = index.remove_run(row.run_id);
    if (!outcome && outcome.error().code != Errc::kNotFound) break;
    outcome = {};
  }
  facts.emplace_back(std::move(reset));
  if (auto added = add_to_state(data_dir, facts); !added) return added;
  return outcome;
}

}  // namespace assay
