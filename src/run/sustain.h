#pragma once

#include <cstdint>
#include <map>

#include "base/clock.h"
#include "model/options.h"
#include "model/run.h"

namespace assay {

/// Makes each measured leg of a plan one that goes on for --sustain: a closed loop in a stage of
/// its own, with so many calls that an engine half again as fast as its estimate does not come to
/// their end, at most kMostSustained. What is not asked in time is skipped. Changes nothing without
/// --sustain.
void sustain_legs(const RunSpec& spec, RunMeta& meta);
inline constexpr int64_t kMostSustained = 100'000;

/// Tells legs whose time is up. Instants are given.
class LegClocks {
 public:
  /// Whether the leg has gone on for `seconds`; its time begins with the first question.
  bool is_up(int64_t leg, double seconds, MonoNs now) {
    const auto [began, is_first] = began_.try_emplace(leg, now);
    return static_cast<double>(now - began->second) / 1e9 >= seconds;
  }
  /// Leaves a pause out.
  void shift(int64_t ns) {
    for (auto& [leg, began] : began_) began += ns;
  }

 private:
  std::map<int64_t, MonoNs> began_;
};

}  // namespace assay
