#pragma once

#include <boost/asio/ip/tcp.hpp>
#include <boost/asio/steady_timer.hpp>
#include <memory>

#include "net/limits.h"

namespace assay {

/// Watches over one call's limits and closes its socket when one runs out or the call is cancelled;
/// whoever waits on the socket then finds out here why. One timer, re-armed only when it fires, so
/// that a token costs no timer operation. Load thread only.
class CallWatch {
 public:
  CallWatch(boost::asio::io_context& io, const Limits& limits);
  ~CallWatch();
  CallWatch(const CallWatch&) = delete;
  CallWatch& operator=(const CallWatch&) = delete;

  /// The socket to close; null while there is none. The socket must outlive its being watched.
  void watch(boost::asio::ip::tcp::socket* socket);
  void connected() { stage_ = Stage::kFirstByte; }
  /// The request goes out at `at`: the clock of first_byte and first_token starts.
  void sent(MonoNs at);
  void first_byte() {
    if (stage_ == Stage::kFirstByte) stage_ = Stage::kFirstToken;
  }
  /// A text-bearing event was read at `at`.
  void text(MonoNs at) {
    stage_ = Stage::kIdle;
    since_ = at;
  }
  /// Instant of the last sent(); 0 before.
  [[nodiscard]] MonoNs sent_at() const { return sent_at_; }
  /// Since when nothing came: the last text-bearing event, or before it the last sent(). 0 before.
  [[nodiscard]] MonoNs silent_since() const { return sent_at_ == 0 ? 0 : since_; }
  void cancel() { expire(Expired::kCancelled); }
  /// The engine's machine was busy for too long without a token.
  void too_busy() { expire(Expired::kBusy); }
  [[nodiscard]] Expired expired() const { return expired_; }

 private:
  enum class Stage : uint8_t { kConnect, kFirstByte, kFirstToken, kIdle };

  void expire(Expired why);
  void arm();
  void on_timer();
  struct Due {
    MonoNs at;
    Expired which;
  };
  [[nodiscard]] Due next_due() const;

  Limits limits_;
  MonoNs started_;
  MonoNs since_;  // Start of the current stage.
  MonoNs sent_at_ = 0;
  Stage stage_ = Stage::kConnect;
  Expired expired_ = Expired::kNo;
  boost::asio::ip::tcp::socket* socket_ = nullptr;
  boost::asio::steady_timer timer_;
  std::shared_ptr<CallWatch*> self_;  // Cleared on destruction: a queued timer finds nobody.
};

}  // namespace assay
