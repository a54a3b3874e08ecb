#pragma once

#include <cstdint>
#include <map>
#include <optional>
#include <set>
#include <vector>

#include "base/clock.h"
#include "model/run.h"

namespace assay {

/// When the calls of an open-loop stage are to be sent.
struct DueTimes {
  std::map<int64_t, MonoNs> by_call;  ///< Of every call of the stage.
  std::vector<MonoNs> left;           ///< Of those that are not done yet, in order.

  /// Since `epoch`; absent for a call of no open loop.
  [[nodiscard]] std::optional<int64_t> of(int64_t call, MonoNs epoch) const {
    const auto planned = by_call.find(call);
    if (planned == by_call.end()) return std::nullopt;
    return planned->second - epoch;
  }
};

/// Of the calls from `begin` up to `end`, the first of them at `start`.
DueTimes due_times(const RunMeta& meta, int64_t begin, int64_t end, const std::set<int64_t>& done,
                   MonoNs start);

}  // namespace assay
