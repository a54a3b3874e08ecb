#pragma once

#include <map>
#include <string>

#include "base/clock.h"
#include "model/run.h"

namespace assay {

/// When a cell's next call may be sent, and whether its model is warm. A cell and its route share
/// one engine, so they share both. Instants are given: CLOCK_MONOTONIC in a run.
class CallGates {
 public:
  /// Takes the cell's next place and returns its instant: `now`, or as long after the last place as
  /// max_rate wants.
  MonoNs reserve(const Cell& cell, MonoNs now);

  /// A call to the cell's model was answered.
  void answered(const Cell& cell, MonoNs now);
  /// Whether one was answered within kWarmFor.
  [[nodiscard]] bool is_warm(const Cell& cell, MonoNs now) const;
  static constexpr Nanos kWarmFor = std::chrono::seconds(60);

 private:
  std::map<std::string, MonoNs> next_;
  std::map<std::string, MonoNs> answered_;
};

}  // namespace assay
