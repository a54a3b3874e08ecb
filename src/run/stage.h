#pragma once

#include <algorithm>
#include <cstdint>
#include <map>
#include <set>

#include "model/run.h"

namespace assay {

/// Calls of a plan that run side by side.
struct PlanStage {
  int64_t begin = 0;  ///< Index into RunMeta::calls.
  int64_t end = 0;    ///< One past the last.
  std::set<int64_t> cells;
  std::set<int64_t> legs;
  std::map<int64_t, int64_t> first_calls;  ///< By cell, the first of its calls.
};

/// Cells that can be measured.
inline int64_t available_cells(const RunMeta& meta) {
  return std::count_if(meta.cells.begin(), meta.cells.end(),
                       [](const Cell& cell) { return cell.unavailable.empty(); });
}

/// The stage that the call `begin` is the first of.
inline PlanStage stage_at(const RunMeta& meta, int64_t begin) {
  PlanStage stage{begin, begin, {}, {}, {}};
  const auto count = static_cast<int64_t>(meta.calls.size());
  const int64_t number = meta.calls[static_cast<size_t>(begin)].stage;
  for (; stage.end < count; ++stage.end) {
    const PlannedCall& call = meta.calls[static_cast<size_t>(stage.end)];
    if (call.stage != number) break;
    const int64_t cell = meta.legs[static_cast<size_t>(call.leg)].cell;
    stage.legs.insert(call.leg);
    stage.cells.insert(cell);
    stage.first_calls.try_emplace(cell, stage.end);
  }
  return stage;
}

}  // namespace assay
