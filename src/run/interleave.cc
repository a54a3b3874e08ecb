#include "run/interleave.h"

#include <algorithm>
#include <map>
#include <utility>

namespace assay {
namespace {

using Calls = std::vector<PlannedCall>;

/// A stage's calls, cut where the repetition changes.
std::vector<Calls> rounds_of(const Calls& stage) {
  std::vector<Calls> rounds;
  for (const PlannedCall& call : stage) {
    if (rounds.empty() || rounds.back().back().run_idx != call.run_idx) rounds.emplace_back();
    rounds.back().push_back(call);
  }
  return rounds;
}

/// One restart's stages in order, and in each the calls of every cell.
using Stages = std::vector<std::map<int64_t, Calls>>;

std::map<int64_t, Stages> stages_by_restart(const RunMeta& meta) {
  std::map<int64_t, Stages> by_restart;
  std::map<std::pair<int64_t, int64_t>, std::vector<int64_t>>
      seen;  // Stages of a restart and cell.
  for (const PlannedCall& call : meta.calls) {
    const int64_t cell = meta.legs[static_cast<size_t>(call.leg)].cell;
    std::vector<int64_t>& stages = seen[{call.restart, cell}];
    if (stages.empty() || stages.back() != call.stage) stages.push_back(call.stage);
    Stages& all = by_restart[call.restart];
    all.resize(std::max(all.size(), stages.size()));
    all[stages.size() - 1][cell].push_back(call);
  }
  return by_restart;
}

}  // namespace

void interleave_cells(RunMeta& meta) {
  Calls merged;
  int64_t number = 0;
  for (const auto& [restart, stages] : stages_by_restart(meta)) {
    for (const auto& stage : stages) {
      std::vector<std::vector<Calls>> cells;
      size_t most = 0;
      for (const auto& [cell, calls] : stage) {
        cells.push_back(rounds_of(calls));
        most = std::max(most, cells.back().size());
      }
      for (size_t round = 0; round < most; ++round) {
        for (size_t i = 0; i < cells.size(); ++i) {
          const auto& rounds = cells[round % 2 == 0 ? i : cells.size() - 1 - i];
          if (round >= rounds.size()) continue;
          for (PlannedCall call : rounds[round]) {
            call.stage = number;
            merged.push_back(call);
          }
        }
      }
      ++number;
    }
  }
  meta.calls = std::move(merged);
}

}  // namespace assay
