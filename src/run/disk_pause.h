#pragma once

#include <cstdint>

#include "run/runner.h"

namespace assay {

/// While the disk refuses, no call is issued and once a second it is tried again. Load thread only.
class DiskPause {
 public:
  DiskPause(DiskTrouble& disk, RunWriter& writer, LiveEvents& events, const OnNote& note)
      : disk_(disk), writer_(writer), events_(events), note_(note) {}

  /// Called four times a second.
  void tick();
  [[nodiscard]] bool paused() const { return paused_; }

 private:
  DiskTrouble& disk_;
  RunWriter& writer_;
  LiveEvents& events_;
  const OnNote& note_;
  bool paused_ = false;
  bool retried_ = false;
  int64_t ticks_ = 0;
};

}  // namespace assay
