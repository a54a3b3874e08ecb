#pragma once

#include <cstdint>
#include <map>
#include <span>
#include <vector>

#include "model/run.h"
#include "stats/difference.h"

namespace assay {

/// Final calls of a leg that follow another call of their stage, by the leg of that call: an index
/// into RunMeta::legs.
struct PrecededCalls {
  struct Timed {
    int64_t after = 0;
    double speed = 0;
  };
  std::map<int64_t, int64_t> calls;  ///< How many.
  std::vector<Timed> timed;          ///< The answered ones, in ledger order.

  void add(const RunMeta& meta, const CallRecord& call);
};

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
/// predecessor. Needs kMinForDifference calls on both sides. One element a leg; those of legs of
/// several calls at a time stay empty.
std::vector<OrderEffect> order_effects(std::span<const PrecededCalls> legs);

}  // namespace assay
