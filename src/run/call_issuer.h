#pragma once

#include <cstdint>
#include <functional>
#include <map>
#include <optional>
#include <string>
#include <utility>

#include "base/random.h"
#include "engines/call.h"
#include "run/active_run.h"
#include "run/call_gates.h"
#include "run/cell_course.h"
#include "run/cold_start.h"
#include "run/cooling.h"
#include "run/disk_pause.h"
#include "run/due_times.h"
#include "run/engine_keeper.h"
#include "run/in_flight.h"
#include "run/load_watch.h"
#include "run/record_keeper.h"
#include "run/run_stop.h"

namespace assay {

/// Makes the planned calls: each is skipped with its reason, or sent, and repeated where that is
/// worth it. Load thread only.
class CallIssuer {
 public:
  /// What the calls have to do with; all of it outlives the issuer.
  struct Around {
    EngineKeeper& keeper;
    CellCourse& course;
    RecordKeeper& records;
    LoadWatch& loads;
    const DiskPause& disk;
    const RunStop& stop;
    InFlight& in_flight;
    Cooling& cooling;
  };
  CallIssuer(const ActiveRun& run, const Around& around);

  /// Comes back when the call has its final record, or is left to a resume.
  Task<void> issue(int64_t index);

  /// The open-loop stage that comes next: its records say when they were due.
  void set_due(DueTimes due) { due_ = std::move(due); }

 private:
  /// A planned call between its attempts.
  struct Pending {
    int64_t index;
    CallRequest request;
    CallRecord cold;  ///< What make_cold noted.
    std::optional<int64_t> due;
    ReadsBefore reads = {};
    int64_t attempt = 0;  ///< Attempts made, in all sessions.
    int64_t retries_left = 0;
    bool not_warm = false;
    bool not_cooled = false;
    bool was_unloaded = false;
  };

  /// Makes the model of the call cold or warm, as its leg wants, and waits for its place. False
  /// where the call is not to be sent.
  Task<bool> make_ready(Pending& call);
  /// True when another attempt is to follow.
  Task<bool> attempt(Pending& call);
  /// Sends a call beside the plan, so that the model is warm. False when it was not answered.
  Task<bool> warm_again(int64_t index);
  Task<void> back_off(int64_t cell, int64_t failures, std::optional<Nanos> asked);
  [[nodiscard]] CallRecord record_for(int64_t index) const;
  void skip(int64_t index, const std::string& reason, int64_t attempt);

  const ActiveRun& run_;
  Around around_;
  SplitMix64 random_;
  CallGates gates_;
  std::function<void(const LiveEvent&)> on_live_;
  DueTimes due_;                         // Of the last open-loop stage.
  std::map<int64_t, MonoNs> back_offs_;  // By cell.
  int64_t skips_ = 0;
  int64_t unplanned_;  // Calls beside the plan so far.
};

}  // namespace assay
