#pragma once

#include <boost/asio/ip/tcp.hpp>
#include <boost/asio/steady_timer.hpp>
#include <cstdint>
#include <memory>
#include <string_view>

#include "base/clock.h"
#include "net/task.h"

namespace assay {

/// One accepted connection, as a request handler sees it: a raw writer with waits that end when
/// the peer goes away. Not thread-safe; at most one coroutine waits on it at a time.
///
/// Shared, because the watch for the peer's end may complete after the server has let go of it.
class HttpConnection : public std::enable_shared_from_this<HttpConnection> {
 public:
  explicit HttpConnection(boost::asio::ip::tcp::socket socket);

  /// False once either side closed it. A peer that shuts down its sending side counts as gone.
  [[nodiscard]] bool open() const { return open_; }

  /// Sends all of `bytes`, which must stay valid. False when the peer is gone.
  Task<bool> send(std::string_view bytes);

  enum class SendState : uint8_t { kDone, kBlocked, kGone };
  /// One pass of non-blocking sends; removes what was taken from `bytes`. kBlocked: wait_writable()
  /// and call again.
  SendState try_send(std::string_view& bytes);

  /// False when the connection closed first.
  Task<bool> wait_writable();
  Task<bool> sleep_until(MonoNs when);
  /// Until wake(), also one that came before; false when the connection closed first.
  Task<bool> wait();
  void wake();

  /// The response ends with the connection: no further request is read.
  void close_after_response() { keep_alive_ = false; }
  [[nodiscard]] bool keep_alive() const { return keep_alive_; }

  /// Ends the connection in order (FIN after what was sent).
  void close();
  /// Ends it with RST; what was sent and not yet received may be lost.
  void reset();

 private:
  friend class HttpServer;

  void begin_request(bool keep_alive);
  void end_request();
  void watch_peer();
  void on_readable(uint64_t request_number);

  boost::asio::ip::tcp::socket socket_;
  boost::asio::steady_timer timer_;
  MonoNs due_ = 0;  ///< When the server closes it; 0 while a handler has it.
  bool open_ = true;
  bool keep_alive_ = true;
  bool woken_ = false;
  bool watching_ = false;
  uint64_t request_number_ = 0;
};

}  // namespace assay
