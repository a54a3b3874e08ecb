#include "net/http_server.h"

#include <fmt/format.h>
#include <strings.h>

#include <algorithm>
#include <boost/asio/as_tuple.hpp>
#include <boost/asio/buffer.hpp>
#include <boost/asio/co_spawn.hpp>
#include <boost/asio/detached.hpp>
#include <boost/asio/steady_timer.hpp>
#include <boost/asio/use_awaitable.hpp>
#include <boost/beast/http/parser.hpp>
#include <boost/beast/http/string_body.hpp>
#include <exception>
#include <optional>
#include <tuple>
#include <utility>

namespace assay {
namespace asio = boost::asio;
namespace http = boost::beast::http;
using asio::ip::tcp;

namespace {

constexpr auto kAwait = asio::as_tuple(asio::use_awaitable);
constexpr size_t kReadBytes = 16 << 10;
/// After a failed accept (out of descriptors), so that the loop does not spin.
constexpr std::chrono::milliseconds kAcceptRetry(10);
/// Between two looks at connections that may be overdue.
constexpr Nanos kShortestLook = std::chrono::milliseconds(10);
constexpr Nanos kLongestLook = std::chrono::seconds(1);

using Parser = http::request_parser<http::string_body>;

void take_request(Parser& parser, ServedRequest& request) {
  auto& message = parser.get();
  request.method = std::string(message.method_string());
  request.target = std::string(message.target());
  const size_t question = request.target.find('?');
  request.path = request.target.substr(0, question);
  if (question != std::string::npos) request.query = request.target.substr(question + 1);
  for (const auto& field : message) {
    request.headers.emplace_back(std::string(field.name_string()), std::string(field.value()));
  }
  request.body = std::move(message.body());
  request.keep_alive = message.keep_alive();
}

std::string_view reason_of(int status) {
  const auto reason = http::obsolete_reason(static_cast<http::status>(status));
  return {reason.data(), reason.size()};
}

}  // namespace

std::string_view ServedRequest::header(std::string_view name) const {
  for (const auto& [key, value] : headers) {
    if (key.size() == name.size() && ::strncasecmp(key.data(), name.data(), name.size()) == 0) {
      return value;
    }
  }
  return {};
}

Result<std::unique_ptr<HttpServer>> HttpServer::listen(asio::io_context& io, uint16_t port,
                                                       Handler handler, HttpLimits limits) {
  boost::system::error_code error;
  tcp::acceptor acceptor(io);
  acceptor.open(tcp::v4(), error);
  if (!error) acceptor.set_option(asio::socket_base::reuse_address(true), error);
  if (!error) acceptor.bind(tcp::endpoint(asio::ip::address_v4::loopback(), port), error);
  if (!error) acceptor.listen(asio::socket_base::max_listen_connections, error);
  if (error) {
    const bool taken = error == asio::error::address_in_use;
    return fail(taken ? Errc::kConflict : Errc::kIo,
                fmt::format("cannot listen on 127.0.0.1:{}: {}", port, error.message()));
  }
  std::unique_ptr<HttpServer> server(
      new HttpServer(io, std::move(acceptor), std::move(handler), limits));
  asio::co_spawn(io, server->accept_all(), asio::detached);
  asio::co_spawn(io, server->close_overdue(), asio::detached);
  return server;
}

HttpServer::HttpServer(asio::io_context& io, tcp::acceptor acceptor, Handler handler,
                       HttpLimits limits)
    : io_(io),
      acceptor_(std::move(acceptor)),
      overdue_timer_(io),
      handler_(std::move(handler)),
      limits_(limits),
      port_(acceptor_.local_endpoint().port()) {}

void HttpServer::stop() {
  stopping_ = true;
  boost::system::error_code ignored;
  acceptor_.close(ignored);
  overdue_timer_.cancel();
  for (HttpConnection* connection : live_) connection->close();
}

Task<void> HttpServer::accept_all() {
  asio::steady_timer retry(io_);
  while (!stopping_) {
    auto accepted = co_await acceptor_.async_accept(kAwait);
    if (stopping_) break;
    if (std::get<0>(accepted)) {
      retry.expires_after(kAcceptRetry);
      co_await retry.async_wait(kAwait);
      continue;
    }
    if (live_.size() >= limits_.connections) continue;
    auto connection = std::make_shared<HttpConnection>(std::move(std::get<1>(accepted)));
    live_.insert(connection.get());
    asio::co_spawn(io_, serve(std::move(connection)), asio::detached);
  }
}

Task<void> HttpServer::close_overdue() {
  // One timer for all: most connections never come near their limits.
  const Nanos between =
      std::clamp<Nanos>(std::min(limits_.request, limits_.idle) / 4, kShortestLook, kLongestLook);
  while (!stopping_) {
    overdue_timer_.expires_after(between);
    co_await overdue_timer_.async_wait(kAwait);
    const MonoNs now = mono_now_ns();
    for (HttpConnection* connection : live_) {
      if (connection->due_ != 0 && connection->due_ < now) connection->close();
    }
  }
}

Task<void> HttpServer::serve(std::shared_ptr<HttpConnection> connection) {
  boost::system::error_code ignored;
  connection->socket_.set_option(tcp::no_delay(true), ignored);
  try {
    co_await serve_requests(*connection);
  } catch (const std::exception&) {
    // A handler's last resort: this connection ends, the server goes on.
  }
  connection->close();
  live_.erase(connection.get());
}

Task<void> HttpServer::serve_requests(HttpConnection& connection) {
  std::string unparsed;
  while (connection.open()) {
    ServedRequest request;
    const Nanos limit = unparsed.empty() ? limits_.idle : limits_.request;
    connection.due_ = mono_now_ns() + limit.count();
    const Read read = co_await read_request(connection, unparsed, request);
    if (read == Read::kEnd) co_return;
    if (read != Read::kRequest) {
      const int status = read == Read::kHeaderTooBig ? 431 : read == Read::kBodyTooBig ? 413 : 400;
      const std::string response = http_response(
          status, "text/plain", fmt::format("{}\n", reason_of(status)), "Connection: close\r\n");
      co_await connection.send(response);
      co_return;
    }
    connection.due_ = 0;
    connection.begin_request(request.keep_alive);
    co_await handler_(request, connection);
    connection.end_request();
    if (!connection.keep_alive()) co_return;
  }
}

Task<HttpServer::Read> HttpServer::read_request(HttpConnection& connection, std::string& unparsed,
                                                ServedRequest& request) {
  Parser parser;
  parser.header_limit(limits_.header_bytes);
  parser.body_limit(limits_.body_bytes);
  parser.eager(true);
  bool asked_to_continue = false;
  bool is_first = unparsed.empty();
  request.received = mono_now_ns();
  for (;;) {
    while (!unparsed.empty() && !parser.is_done()) {
      boost::beast::error_code error;
      const size_t used = parser.put(asio::buffer(unparsed), error);
      unparsed.erase(0, used);
      if (error == http::error::need_more) break;
      if (error == http::error::header_limit) co_return Read::kHeaderTooBig;
      if (error == http::error::body_limit) co_return Read::kBodyTooBig;
      if (error) co_return Read::kBad;
    }
    if (parser.is_done()) break;
    if (parser.is_header_done() && !asked_to_continue &&
        parser.get()[http::field::expect] == "100-continue") {
      asked_to_continue = true;
      const bool sent = co_await connection.send("HTTP/1.1 100 Continue\r\n\r\n");
      if (!sent) co_return Read::kEnd;
    }
    const size_t before = unparsed.size();
    unparsed.resize(before + kReadBytes);
    const auto space = asio::buffer(unparsed.data() + before, kReadBytes);
    const auto done = co_await connection.socket_.async_read_some(space, kAwait);
    request.received = mono_now_ns();
    unparsed.resize(before + std::get<1>(done));
    if (std::get<0>(done)) co_return Read::kEnd;
    if (std::exchange(is_first, false)) {
      connection.due_ = request.received + limits_.request.count();
    }
  }
  take_request(parser, request);
  co_return Read::kRequest;
}

std::string http_status_line(int status) {
  return fmt::format("HTTP/1.1 {} {}\r\n", status, reason_of(status));
}

std::string http_response(int status, std::string_view content_type, std::string_view body,
                          std::string_view extra_headers) {
  return fmt::format("{}Content-Type: {}\r\nContent-Length: {}\r\n{}\r\n{}",
                     http_status_line(status), content_type, body.size(), extra_headers, body);
}

}  // namespace assay
