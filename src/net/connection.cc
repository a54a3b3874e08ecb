#include "net/connection.h"

#include <fmt/format.h>
#include <netinet/tcp.h>
#include <sys/socket.h>

#include <boost/asio/as_tuple.hpp>
#include <boost/asio/ip/tcp.hpp>
#include <boost/asio/use_awaitable.hpp>
#include <cerrno>
#include <cstring>

#include "base/files.h"

namespace assay {
namespace {

namespace asio = boost::asio;
using asio::ip::tcp;

// as_tuple: an error is a value, not an exception.
constexpr auto kAwait = asio::as_tuple(asio::use_awaitable);

Failure system_failure(std::string_view doing, int error) {
  const bool reset = error == ECONNRESET || error == EPIPE;
  return Failure(reset ? failure::kReset : failure::kClosed,
                 fmt::format("{}: {}", doing, errno_text(error)));
}

/// Receives without waiting. The kernel's receive time is left in `kernel_wall_ns`, or 0.
ssize_t receive_stamped(int fd, std::vector<char>& buffer, int64_t& kernel_wall_ns) {
  alignas(cmsghdr) char control[CMSG_SPACE(sizeof(timespec))];
  iovec vector{buffer.data(), buffer.size()};
  msghdr message{};
  message.msg_iov = &vector;
  message.msg_iovlen = 1;
  message.msg_control = control;
  message.msg_controllen = sizeof control;
  kernel_wall_ns = 0;
  const ssize_t got = ::recvmsg(fd, &message, MSG_DONTWAIT);
  if (got <= 0) return got;
  for (cmsghdr* c = CMSG_FIRSTHDR(&message); c != nullptr; c = CMSG_NXTHDR(&message, c)) {
    if (c->cmsg_level != SOL_SOCKET || c->cmsg_type != SCM_TIMESTAMPNS) continue;
    timespec t{};
    std::memcpy(&t, CMSG_DATA(c), sizeof t);
    kernel_wall_ns = int64_t{t.tv_sec} * 1'000'000'000 + t.tv_nsec;
  }
  return got;
}

}  // namespace

Task<std::optional<Failure>> Connection::connect_to(tcp::endpoint endpoint) {
  boost::system::error_code error;
  if (socket_.is_open()) socket_.close(error);
  socket_.open(endpoint.protocol(), error);
  if (error) co_return Failure(failure::kConnect, error.message());
  const int on = 1;
  ::setsockopt(socket_.native_handle(), SOL_SOCKET, SO_TIMESTAMPNS, &on, sizeof on);
  const auto connected = co_await socket_.async_connect(endpoint, kAwait);
  if (std::get<0>(connected)) {
    // A server that accepts and resets at once may have done so before we look.
    const bool reset = std::get<0>(connected) == asio::error::connection_reset;
    co_return Failure(reset ? failure::kReset : failure::kConnect,
                      errno_text(std::get<0>(connected).value()));
  }
  socket_.set_option(tcp::no_delay(true), error);
  socket_.native_non_blocking(true, error);
  co_return std::nullopt;
}

Task<std::optional<Failure>> Connection::connect(const Url& url, CallWatch& watch) {
  std::vector<tcp::endpoint> endpoints;
  boost::system::error_code error;
  const auto address = asio::ip::make_address(url.host, error);
  if (!error) {
    endpoints.emplace_back(address, url.port);
  } else {
    tcp::resolver resolver(socket_.get_executor());
    const std::string port = std::to_string(url.port);
    const auto found = co_await resolver.async_resolve(url.host, port, kAwait);
    if (std::get<0>(found)) {
      co_return Failure(failure::kDns, fmt::format("cannot find the host {}: {}", url.host,
                                                   std::get<0>(found).message()));
    }
    for (const auto& entry : std::get<1>(found)) endpoints.push_back(entry.endpoint());
  }
  std::optional<Failure> last;
  for (const tcp::endpoint& endpoint : endpoints) {
    watch.watch(&socket_);
    last = co_await connect_to(endpoint);
    if (!last || watch.expired() != Expired::kNo) break;
  }
  if (last) {
    last->message = fmt::format("cannot connect to {}: {}", url.text(), last->message);
    co_return last;
  }
  if (url.tls) {
    auto tls = TlsClient::create(url.host);
    if (!tls) co_return Failure(failure::kTls, tls.error().message);
    tls_ = std::move(*tls);
    last = co_await shake_hands();
  }
  co_return last;
}

Task<std::optional<Failure>> Connection::shake_hands() {
  for (;;) {
    const auto step = tls_->handshake();
    const std::string outgoing = tls_->take_outgoing();
    std::optional<Failure> failed = co_await send_raw(outgoing);
    if (!step) co_return Failure(failure::kTls, step.error().message);
    if (failed || *step) co_return failed;
    ReadPiece piece;
    failed = co_await receive_raw(piece);
    if (failed) co_return failed;
    if (piece.end) co_return Failure(failure::kTls, "the server closed during the TLS handshake");
    tls_->put_incoming(piece.bytes);
  }
}

Task<std::optional<Failure>> Connection::send_raw(std::string_view bytes) {
  while (!bytes.empty()) {
    const ssize_t put = ::send(socket_.native_handle(), bytes.data(), bytes.size(), MSG_NOSIGNAL);
    if (put >= 0) {
      bytes.remove_prefix(static_cast<size_t>(put));
    } else if (errno == EAGAIN || errno == EWOULDBLOCK) {
      const auto waited = co_await socket_.async_wait(tcp::socket::wait_write, kAwait);
      if (std::get<0>(waited)) co_return system_failure("cannot send", std::get<0>(waited).value());
    } else if (errno != EINTR) {
      co_return system_failure("cannot send", errno);
    }
  }
  co_return std::nullopt;
}

Task<std::optional<Failure>> Connection::write(std::string_view bytes, MonoNs& sent_at) {
  std::string cipher;
  if (tls_) {
    if (auto done = tls_->encrypt(bytes); !done) {
      co_return Failure(failure::kTls, done.error().message);
    }
    cipher = tls_->take_outgoing();
    bytes = cipher;
  }
  sent_at = mono_now_ns();
  co_return co_await send_raw(bytes);
}

Task<std::optional<Failure>> Connection::receive_raw(ReadPiece& piece) {
  for (;;) {
    const auto waited = co_await socket_.async_wait(tcp::socket::wait_read, kAwait);
    if (std::get<0>(waited)) {
      co_return system_failure("cannot receive", std::get<0>(waited).value());
    }
    int64_t kernel_wall_ns = 0;
    const ssize_t got = receive_stamped(socket_.native_handle(), context_.buffer, kernel_wall_ns);
    if (got < 0 && (errno == EAGAIN || errno == EWOULDBLOCK || errno == EINTR)) continue;
    if (got < 0) co_return system_failure("cannot receive", errno);
    piece.stamp = context_.clock.stamp(kernel_wall_ns);
    piece.end = got == 0;
    piece.bytes = {context_.buffer.data(), static_cast<size_t>(got)};
    co_return std::nullopt;
  }
}

Task<std::optional<Failure>> Connection::receive_decrypted(ReadPiece& piece) {
  std::optional<Failure> failed = co_await receive_raw(piece);
  if (failed || piece.end) co_return failed;
  tls_->put_incoming(piece.bytes);
  context_.plain.clear();
  const auto decrypted = tls_->decrypt(context_.plain);
  piece.bytes = context_.plain;
  if (!decrypted && decrypted.error().code == Errc::kUnavailable) {
    piece.end = true;
  } else if (!decrypted) {
    co_return Failure(failure::kTls, decrypted.error().message);
  }
  co_return std::nullopt;
}

bool Connection::is_idle_and_open() {
  if (!socket_.is_open()) return false;
  char byte = 0;
  const ssize_t got = ::recv(socket_.native_handle(), &byte, 1, MSG_PEEK | MSG_DONTWAIT);
  return got < 0 && (errno == EAGAIN || errno == EWOULDBLOCK);
}

std::optional<int64_t> Connection::min_rtt_us() {
  // glibc's tcp_info ends before tcpi_min_rtt; this is how the kernel's goes on.
  struct Extended {
    tcp_info base;
    uint64_t pacing_rate, max_pacing_rate, bytes_acked, bytes_received;
    uint32_t segs_out, segs_in, notsent_bytes, min_rtt;
  } info{};
  socklen_t length = sizeof info;
  if (!socket_.is_open() ||
      ::getsockopt(socket_.native_handle(), IPPROTO_TCP, TCP_INFO, &info, &length) != 0 ||
      length < sizeof info || info.min_rtt == UINT32_MAX) {
    return std::nullopt;
  }
  return info.min_rtt;
}

}  // namespace assay
