#pragma once

#include "base/clock.h"
#include "run/runner.h"

namespace assay {

/// What a run that is under way consists of. All of it outlives the run's execution.
struct ActiveRun {
  Session& session;
  const RunMeta& meta;
  const RunSpec& spec;
  const Remaining& remaining;
  RunWriter& writer;
  SentCalls& sent;
  LiveEvents& events;
  const OnNote& note;
  MonoNs epoch = 0;  ///< Its instants count from here, over all its sessions.

  /// Of a planned call.
  [[nodiscard]] const Leg& leg_of(int64_t index) const {
    return meta.legs[static_cast<size_t>(meta.calls[static_cast<size_t>(index)].leg)];
  }
  [[nodiscard]] LiveCell& live(int64_t cell) const {
    return session.cells[static_cast<size_t>(cell)];
  }
};

}  // namespace assay
