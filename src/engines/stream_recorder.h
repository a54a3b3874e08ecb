#pragma once

#include <cstdint>
#include <string>
#include <string_view>

#include "engines/engine.h"
#include "engines/think_splitter.h"
#include "net/call_watch.h"
#include "net/stamp.h"

namespace assay {

/// Where a live call is, for whoever watches the run. Text lasts until the next event.
struct LiveEvent {
  enum class Kind : uint8_t { kSent, kReasoning, kText, kDone };
  Kind kind;
  int64_t index = 0;
  std::string_view text{};
};
using OnLive = FunctionRef<void(const LiveEvent&)>;

/// Turns the stamped events of one answer into the facts of a CallRecord. Knows nothing of sockets,
/// so that every dialect is tested with its stream cut anywhere. Load thread only.
class StreamRecorder {
 public:
  /// An answer longer than this is over_limit, whatever the server was asked for.
  static constexpr size_t kMaxAnswerBytes = 16U << 20;
  /// A read later than this after the kernel's receipt may have merged what arrived apart.
  static constexpr int64_t kLateReadNs = 500'000;

  /// Instants in `record` count from `epoch`. `watch` and `live` may be null.
  StreamRecorder(CallRecord& record, MonoNs epoch, const CallRequest& request, CallWatch* watch,
                 const OnLive* live);

  /// A read begins; its events share one stamp.
  void begin_read(const Stamp& stamp);
  /// One event's payload. False when nothing more is needed: it ended, or failed.
  bool on_event(Engine& engine, std::string_view payload);
  /// A whole answer that was not streamed.
  void on_document(Engine& engine, std::string_view body);
  /// The body ended, properly or not: settles outcome, text and counts. A call that is still
  /// without an error then is ok.
  void finish();

  /// Ends the call as failed unless it already is. `code` is a string literal.
  void fail_call(Outcome outcome, std::string_view code, std::string message);
  void add_flag(std::string_view flag);
  [[nodiscard]] bool failed() const { return record_.error_code.has_value(); }
  [[nodiscard]] bool finish_reason_seen() const { return record_.finish_reason.has_value(); }
  /// Visible text so far.
  [[nodiscard]] const std::string& text() const { return text_; }
  [[nodiscard]] std::string take_text() { return std::move(text_); }

 private:
  [[nodiscard]] int64_t since_epoch(MonoNs at) const { return at - epoch_; }
  void note_text(const Delta& delta);
  void note_part(ThinkSplitter::Part part, std::string_view piece, MonoNs at);
  void note_counts(const Delta& delta);
  void note_stage(Stage stage);
  /// Of a dialect that does not say why an answer ended.
  [[nodiscard]] std::string untold_finish() const;
  void write_pending();
  bool decode(Engine& engine, std::string_view payload, Delta& delta);

  CallRecord& record_;
  const MonoNs epoch_;
  const CallRequest& request_;
  CallWatch* watch_;
  const OnLive* live_;

  Stamp stamp_;
  MonoNs held_at_ = 0;  // Stamp of the event that the splitter holds bytes of.
  ThinkSplitter splitter_;
  std::string text_;
  std::string tool_args_;
  bool saw_tool_ = false;
  bool saw_finish_event_ = false;

  // The last text-bearing event is written when the next one shows whether they shared a read.
  struct Pending {
    MonoNs at = 0;
    uint64_t bytes = 0;
    bool merged_late = false;
    bool any = false;
  };
  Pending pending_;
  MonoNs last_written_ = 0;
  int64_t events_in_read_ = 0;
  int64_t max_text_events_;
  // Client lags of this call in microseconds; a bounded log-scale histogram is enough for p99.
  static constexpr size_t kLagBuckets = 32;
  uint32_t lag_buckets_[kLagBuckets] = {};
  uint32_t lag_count_ = 0;
};

}  // namespace assay
