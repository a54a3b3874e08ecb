#pragma once

#include <cstdint>
#include <functional>
#include <string>
#include <string_view>

#include "engines/stream_recorder.h"
#include "model/run.h"
#include "store/events.h"

namespace assay {

/// Makes a run's live events for events.jsonl, at bounded rates: a server can follow a run by that
/// file alone. The text of one call at a time is followed, the oldest in flight. Load thread only.
class LiveEvents {
 public:
  /// `write` takes one finished line.
  LiveEvents(EventLines lines, std::function<void(std::string)> write);

  void run_state(std::string_view state, const RunMeta& meta);
  void cell_state(const Cell& cell, std::string_view state);
  void suite_state(const RunMeta& meta, std::string_view state);
  void call_started(const PlannedCall& call, int64_t index, int64_t attempt);
  void call_done(const CallRecord& record);
  /// Text of a call in flight. Cheap for calls that are not followed.
  void live(const LiveEvent& event);
  void telemetry(const TelemetrySample& sample, double wall_s);
  /// The machine is left to cool, in words; empty when it is over.
  void cooling(std::string_view words);
  void alert(std::string_view code, std::string_view message);
  void end(std::string_view state);

  /// What the progress event and the progress line show.
  struct Progress {
    int64_t done = 0;
    int64_t total = 0;
    int64_t ok = 0;
    int64_t failed = 0;
    int64_t skipped = 0;
    std::optional<double> eta_s;
    int64_t cell = 0;
    int64_t cells = 0;
    std::string doing;  ///< What is done in place of calls, such as cooling; empty: nothing is.

    void add(const CallRecord& final_record);  ///< Counts one more planned call.
    /// By the calls beyond `before`, which took `elapsed_ns`; unknown from fewer than two.
    void estimate_end(int64_t before, int64_t elapsed_ns);
  };
  void progress(const Progress& progress);

  /// Text-bearing events of all streams since the last call of this.
  int64_t take_text_events();

 private:
  void emit(std::string_view event, const std::string& data_json);
  void flush_text();
  void stage(std::string_view name, int64_t index, int64_t attempt);

  EventLines lines_;
  std::function<void(std::string)> write_;
  int64_t followed_ = -1;
  int64_t followed_attempt_ = 1;
  bool followed_visible_ = false;
  bool followed_thinking_ = false;
  std::string text_;    // Of the followed call, not written yet.
  int64_t offset_ = 0;  // Bytes of it written.
  MonoNs text_written_ = 0;
  MonoNs progress_written_ = 0;
  int64_t text_events_ = 0;
  bool cooling_ = false;
};

}  // namespace assay
