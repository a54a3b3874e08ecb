#pragma once

#include <cstdint>
#include <span>
#include <vector>

#include "model/run.h"
#include "stats/difference.h"
#include "stats/legs.h"

namespace assay {

/// What the call before does to a leg's calls: the order within a round is drawn, so that both
/// kinds occur.
struct OrderEffect {
  size_t leg = 0;         ///< Index into the legs.
  int64_t after = 0;      ///< RunMeta::legs index of the leg whose calls came before.
  Difference difference;  ///< Of calls right after it against all others.
  double p = 1;           ///< Adjusted by Holm over all legs that were tested.
};

/// Tests decode speed, or where there is none the time to the first text, of each leg of one call
/// at a time whose calls followed on different legs: one test a leg, of its most frequent
/// predecessor. Needs kMinForDifference calls on both sides.
std::vector<OrderEffect> order_effects(const RunMeta& meta, std::span<const CallRecord> calls,
                                       std::span<const LegResult> legs);

}  // namespace assay
