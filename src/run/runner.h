#pragma once

#include <functional>
#include <map>
#include <mutex>
#include <optional>
#include <set>
#include <utility>
#include <vector>

#include "model/options.h"
#include "model/run.h"
#include "run/legs_so_far.h"
#include "run/live_events.h"
#include "run/session.h"
#include "store/sent_calls.h"
#include "store/writer.h"

namespace assay {

/// What is left to do of a plan, and what happened to it before.
struct Remaining {
  std::set<int64_t> done;     ///< Calls that have their final record.
  std::set<int64_t> started;  ///< Calls that an earlier session had in flight: marked `resumed`.
  std::map<int64_t, int64_t> attempts;  ///< Attempts recorded of calls without a final record.
  int64_t unplanned = 0;                ///< Records of calls beside the plan.
  LegsSoFar legs;                       ///< What was measured before.
  size_t telemetry_bytes = 0;           ///< Of telemetry.jsonl.
  int64_t elapsed_ns = 0;  ///< Of the run before this session; its instants go on from there.
  LiveEvents::Progress progress;
};

/// How the calls of a run went.
struct RunResult {
  std::string state;       ///< completed | interrupted | failed
  int signal = 0;          ///< The signal that ended it, or 0.
  std::string error;       ///< Why it failed.
  std::string stopped_by;  ///< RunEnd::stopped_by
  double wall_s = 0;
  std::optional<double> loop_lag_p99_ms;
  std::optional<double> loop_lag_max_ms;
  double in_flight_s = 0;  ///< Seconds in flight, all calls together, counted as they went.
  std::vector<ServerCounters> leg_counters;  ///< What servers counted over each stage.
  LiveEvents::Progress progress;
};

/// Called on the load thread whenever the progress line may be drawn again, about four times a
/// second. `current` is the call that people would ask about, null between calls.
using OnProgress = std::function<void(const LiveEvents::Progress&, const CallRecord* current)>;

/// Carries the news of a disk that refuses from the writer's thread to the load thread.
class DiskTrouble {
 public:
  void raise(const Error& error) {
    const std::lock_guard lock(mutex_);
    error_ = error;
  }
  std::optional<Error> take() {
    const std::lock_guard lock(mutex_);
    return std::exchange(error_, std::nullopt);
  }

 private:
  std::mutex mutex_;  // Guards `error_`.
  std::optional<Error> error_;
};

/// Issues the plan's remaining calls and writes exactly one final record for each that is reached.
/// Handles SIGINT and SIGTERM: the first lets calls in flight finish within the grace, the second
/// drops them. Blocks the calling thread, which becomes the load thread.
RunResult run_plan(Session& session, const RunMeta& meta, const RunSpec& spec,
                   const Remaining& remaining, RunWriter& writer, SentCalls& sent,
                   DiskTrouble& disk, LiveEvents& events, const OnProgress& on_progress,
                   const OnNote& note);

}  // namespace assay
