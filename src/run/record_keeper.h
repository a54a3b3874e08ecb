#pragma once

#include <functional>
#include <string>

#include "run/active_run.h"
#include "run/legs_so_far.h"
#include "run/live_events.h"

namespace assay {

/// Takes the records of a run to all who want them: the writer, the live events, the progress, and
/// the legs that are measured until they are known well enough. Load thread only.
class RecordKeeper {
 public:
  /// `on_full` is called once, where the disk does not keep up: the run has to end.
  RecordKeeper(const ActiveRun& run, std::function<void()> on_full);

  /// An attempt at a planned call, with its text where that is to be kept.
  void add(CallRecord record, std::string text);
  /// A planned call that is not made.
  void add_skipped(CallRecord record, const std::string& reason);
  /// A call beside the plan: in the ledger, and in no figure.
  void add_unplanned(CallRecord record);
  /// A line of the ledger that is no record.
  void add_line(std::string line);

  [[nodiscard]] const LegsSoFar& legs() const { return legs_; }
  [[nodiscard]] LiveEvents::Progress& progress() { return progress_; }
  /// The newest record of a planned call, without its tokens; null before the first.
  [[nodiscard]] const CallRecord* last() const { return last_.run_id.empty() ? nullptr : &last_; }
  /// Why the run failed; empty while it did not.
  [[nodiscard]] const std::string& error() const { return error_; }

 private:
  void require(bool queued);

  const ActiveRun& run_;
  std::function<void()> on_full_;
  LiveEvents::Progress progress_;
  LegsSoFar legs_;
  CallRecord last_;
  std::string error_;
};

}  // namespace assay
