#pragma once

#include <boost/asio/ip/tcp.hpp>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "net/call_watch.h"
#include "net/failure.h"
#include "net/stamp.h"
#include "net/task.h"
#include "net/tls.h"
#include "net/url.h"

namespace assay {

/// Bytes that one read brought, in a buffer that all connections of the thread share: they are gone
/// with the next read of any of them.
struct ReadPiece {
  std::string_view bytes;
  Stamp stamp;
  bool end = false;  ///< The peer closed its side.
};

/// What a thread's connections share: the read buffer and the clock that stamps.
struct ReadContext {
  static constexpr size_t kReadBytes = 64U << 10;
  std::vector<char> buffer = std::vector<char>(kReadBytes);
  std::string plain;  ///< Decrypted bytes, for TLS.
  KernelClock clock;
};

/// One TCP or TLS connection. Load thread only. Closing the socket, as CallWatch does, ends every
/// wait with kClosed.
class Connection {
 public:
  Connection(boost::asio::io_context& io, ReadContext& context) : socket_(io), context_(context) {}

  /// Resolves, connects and, for https, shakes hands.
  Task<std::optional<Failure>> connect(const Url& url, CallWatch& watch);
  /// Sends everything. `sent_at` gets the instant just before the first byte goes out.
  Task<std::optional<Failure>> write(std::string_view bytes, MonoNs& sent_at);
  /// Waits for bytes and stamps them. May bring an empty piece (TLS records without data).
  Task<std::optional<Failure>> read(ReadPiece& piece) {
    return tls_ ? receive_decrypted(piece) : receive_raw(piece);
  }

  /// Nothing arrived and the peer did not close while the connection lay idle.
  [[nodiscard]] bool is_idle_and_open();
  /// Smallest round trip that the kernel saw; absent where it does not say.
  [[nodiscard]] std::optional<int64_t> min_rtt_us();
  [[nodiscard]] boost::asio::ip::tcp::socket& socket() { return socket_; }

 private:
  Task<std::optional<Failure>> connect_to(boost::asio::ip::tcp::endpoint endpoint);
  Task<std::optional<Failure>> shake_hands();
  Task<std::optional<Failure>> send_raw(std::string_view bytes);
  Task<std::optional<Failure>> receive_raw(ReadPiece& piece);
  Task<std::optional<Failure>> receive_decrypted(ReadPiece& piece);

  boost::asio::ip::tcp::socket socket_;
  ReadContext& context_;
  std::unique_ptr<TlsClient> tls_;
};

}  // namespace assay
