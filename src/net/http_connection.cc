#include "net/http_connection.h"

#include <sys/socket.h>

#include <boost/asio/as_tuple.hpp>
#include <boost/asio/use_awaitable.hpp>
#include <cerrno>
#include <chrono>
#include <tuple>

namespace assay {
namespace asio = boost::asio;
using asio::ip::tcp;

namespace {

constexpr auto kAwait = asio::as_tuple(asio::use_awaitable);

std::chrono::steady_clock::time_point time_point(MonoNs when) {
  return std::chrono::steady_clock::time_point(Nanos(when));
}

}  // namespace

HttpConnection::HttpConnection(tcp::socket socket)
    : socket_(std::move(socket)), timer_(socket_.get_executor()) {}

HttpConnection::SendState HttpConnection::try_send(std::string_view& bytes) {
  while (!bytes.empty()) {
    if (!open_) return SendState::kGone;
    const ssize_t n =
        ::send(socket_.native_handle(), bytes.data(), bytes.size(), MSG_NOSIGNAL | MSG_DONTWAIT);
    if (n >= 0) {
      bytes.remove_prefix(static_cast<size_t>(n));
    } else if (errno == EAGAIN) {
      return SendState::kBlocked;
    } else if (errno != EINTR) {
      close();
      return SendState::kGone;
    }
  }
  return SendState::kDone;
}

Task<bool> HttpConnection::send(std::string_view bytes) {
  for (;;) {
    const SendState state = try_send(bytes);
    if (state != SendState::kBlocked) co_return state == SendState::kDone;
    const bool writable = co_await wait_writable();
    if (!writable) co_return false;
  }
}

Task<bool> HttpConnection::wait_writable() {
  if (!open_) co_return false;
  watch_peer();
  co_await socket_.async_wait(tcp::socket::wait_write, kAwait);
  co_return open_;
}

Task<bool> HttpConnection::sleep_until(MonoNs when) {
  timer_.expires_at(time_point(when));
  while (open_ && mono_now_ns() < when) {
    watch_peer();
    co_await timer_.async_wait(kAwait);
  }
  co_return open_;
}

Task<bool> HttpConnection::wait() {
  timer_.expires_at(std::chrono::steady_clock::time_point::max());
  while (open_ && !woken_) {
    watch_peer();
    co_await timer_.async_wait(kAwait);
  }
  woken_ = false;
  co_return open_;
}

void HttpConnection::wake() {
  woken_ = true;
  timer_.cancel();
}

void HttpConnection::close() {
  if (!open_) return;
  open_ = false;
  timer_.cancel();
  boost::system::error_code ignored;
  socket_.close(ignored);
}

void HttpConnection::reset() {
  if (!open_) return;
  boost::system::error_code ignored;
  socket_.set_option(asio::socket_base::linger(true, 0), ignored);
  close();
}

void HttpConnection::begin_request(bool keep_alive) {
  keep_alive_ = keep_alive;
  woken_ = false;
}

void HttpConnection::end_request() {
  ++request_number_;
  if (!watching_) return;
  watching_ = false;
  if (!open_) return;
  boost::system::error_code ignored;
  socket_.cancel(ignored);
}

void HttpConnection::watch_peer() {
  if (watching_) return;
  watching_ = true;
  socket_.async_wait(tcp::socket::wait_read, [self = shared_from_this(), number = request_number_](
                                                 const boost::system::error_code& error) {
    if (!error) self->on_readable(number);
  });
}

void HttpConnection::on_readable(uint64_t request_number) {
  if (!open_ || request_number != request_number_) return;
  char byte = 0;
  const ssize_t n = ::recv(socket_.native_handle(), &byte, 1, MSG_PEEK | MSG_DONTWAIT);
  // A byte is the next request, sent early: it is read later, and the watch of this one ends.
  if (n == 0 || (n < 0 && errno != EAGAIN && errno != EINTR)) close();
}

}  // namespace assay
