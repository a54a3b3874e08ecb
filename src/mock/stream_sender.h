#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/clock.h"
#include "mock/stats.h"
#include "mock/stream_plan.h"
#include "net/http_connection.h"
#include "net/task.h"

namespace assay {

class Pacer;

/// Sends one planned response. Renders each write just before it is sent and stamps it right before
/// its send(). Everything it refers to outlives run().
class StreamSender {
 public:
  StreamSender(HttpConnection& connection, Pacer& pacer, MockStats& stats, StreamPlan plan);
  StreamSender(const StreamSender&) = delete;
  StreamSender& operator=(const StreamSender&) = delete;
  ~StreamSender() = default;

  /// Until the plan's ending has been carried out or the client is gone. False for the latter, if
  /// the plan was to be completed.
  Task<bool> run();

  /// For the pacer: sends what is due. The instant of the next write; nothing when there is none
  /// now (finished, the peer is slow, or gone).
  std::optional<MonoNs> fire();

 private:
  struct Stamp {
    size_t at;
    enum class Kind : uint8_t { kSent, kWall } kind;
  };

  enum class Progress : uint8_t { kMore, kStuck, kFinished };
  Progress step();
  void enter_pacer(MonoNs due);
  void render_next();
  void render_event(const PlannedEvent& event, MonoNs due);
  void frame_unit();
  void stamp(MonoNs now);
  [[nodiscard]] MonoNs next_due() const;
  [[nodiscard]] size_t group_end() const;

  HttpConnection& connection_;
  Pacer& pacer_;
  MockStats& stats_;
  const StreamPlan plan_;
  size_t next_ = 0;        ///< First event not yet rendered.
  MonoNs repeat_due_ = 0;  ///< Of the last event, when it repeats.
  /// What is being sent: the payload of a write, and of it the framed unit (all, or one byte).
  std::string payload_;
  size_t payload_taken_ = 0;
  MonoNs due_ = 0;
  int64_t events_ = 0;
  std::vector<Stamp> stamps_;
  std::string framed_;
  std::string_view unsent_;
  bool write_begun_ = false;  ///< The first byte of this write is out.
  bool paced_ = false;        ///< The pacer has it.
  bool finished_ = false;
};

}  // namespace assay
