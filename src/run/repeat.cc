#include "run/repeat.h"

#include <algorithm>
#include <utility>

namespace assay {
namespace {

/// Whether a leg is measured at each level.
bool has_levels(const Leg& leg) { return leg.phase == Phase::kMeasure && leg.skip.empty(); }

}  // namespace

void repeat_for_levels(const std::vector<int64_t>& levels, RunMeta& meta) {
  if (levels.size() <= 1) return;
  // The legs of each planned leg, one a level, or itself alone.
  std::vector<std::vector<int64_t>> legs_of(meta.legs.size());
  std::vector<Leg> legs;
  for (size_t i = 0; i < meta.legs.size(); ++i) {
    const size_t copies = has_levels(meta.legs[i]) ? levels.size() : 1;
    for (size_t level = 0; level < copies; ++level) {
      Leg leg = meta.legs[i];
      if (leg.phase == Phase::kMeasure) leg.concurrency = std::min(levels[level], leg.calls);
      legs_of[i].push_back(static_cast<int64_t>(legs.size()));
      legs.push_back(std::move(leg));
    }
  }
  std::vector<PlannedCall> all;
  int64_t stage = 0;
  for (size_t begin = 0; begin < meta.calls.size();) {
    size_t end = begin;
    bool any_levels = false;
    for (; end < meta.calls.size() && meta.calls[end].stage == meta.calls[begin].stage; ++end) {
      any_levels |= legs_of[static_cast<size_t>(meta.calls[end].leg)].size() > 1;
    }
    for (size_t level = 0; level < (any_levels ? levels.size() : 1); ++level) {
      for (size_t i = begin; i < end; ++i) {
        PlannedCall call = meta.calls[i];
        const std::vector<int64_t>& own = legs_of[static_cast<size_t>(call.leg)];
        if (level >= own.size()) continue;
        call.leg = own[level];
        call.stage = stage;
        all.push_back(call);
      }
      ++stage;
    }
    begin = end;
  }
  meta.legs = std::move(legs);
  meta.calls = std::move(all);
}

void repeat_for_restarts(int64_t restarts, RunMeta& meta) {
  if (restarts <= 1) return;
  const auto leg_at = [&](const PlannedCall& call) -> Leg& {
    return meta.legs[static_cast<size_t>(call.leg)];
  };
  std::vector<PlannedCall> all;
  int64_t stage = -1;
  for (size_t begin = 0; begin < meta.calls.size();) {
    size_t end = begin;
    while (end < meta.calls.size() &&
           leg_at(meta.calls[end]).cell == leg_at(meta.calls[begin]).cell) {
      ++end;
    }
    for (int64_t restart = 0; restart < restarts; ++restart) {
      int64_t last_stage = -1;
      for (size_t i = begin; i < end; ++i) {
        PlannedCall call = meta.calls[i];
        const Leg& leg = leg_at(call);
        if (restart > 0 && !leg.skip.empty()) continue;
        if (call.stage != last_stage) ++stage;
        last_stage = call.stage;
        call.stage = stage;
        call.restart = restart;
        call.run_idx += restart * leg.calls;
        all.push_back(call);
      }
    }
    begin = end;
  }
  meta.calls = std::move(all);
  for (Leg& leg : meta.legs) {
    if (leg.skip.empty()) leg.calls *= restarts;
  }
}

}  // namespace assay
