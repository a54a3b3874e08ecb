#pragma once

#include <boost/asio/io_context.hpp>
#include <boost/asio/ip/tcp.hpp>
#include <boost/asio/steady_timer.hpp>
#include <cstdint>
#include <functional>
#include <memory>
#include <string>
#include <string_view>
#include <unordered_set>
#include <utility>
#include <vector>

#include "base/clock.h"
#include "base/result.h"
#include "net/http_connection.h"
#include "net/task.h"

namespace assay {

/// One request, whole: the body is read before the handler is called.
struct ServedRequest {
  std::string method;  ///< `GET`, as sent.
  std::string target;  ///< As sent: path and query.
  std::string path;    ///< The target up to `?`.
  std::string query;   ///< After `?`, or empty.
  std::vector<std::pair<std::string, std::string>> headers;
  std::string body;
  bool keep_alive = true;
  /// Just after the read that completed the request.
  MonoNs received = 0;

  /// The first header of that name, in any case; empty when there is none.
  [[nodiscard]] std::string_view header(std::string_view name) const;
};

struct HttpLimits {
  uint32_t header_bytes = 16 << 10;
  uint64_t body_bytes = 64 << 20;
  size_t connections = 20'000;              ///< Above it new connections are closed at once.
  Nanos request = std::chrono::minutes(1);  ///< From a request's first byte to its last.
  Nanos idle = std::chrono::minutes(5);     ///< From an answer, or the accept, to a first byte.
};

/// A small HTTP/1.1 server on 127.0.0.1: keep-alive, content-length and chunked request bodies. A
/// connection that takes longer than the limits is closed, up to a second later. The
/// handler writes the response itself, byte by byte if it likes. Everything runs on the thread of
/// the io_context, which must outlive the server; call stop() and let run() return before
/// destroying it.
class HttpServer {
 public:
  /// Both references live until the handler returns. What it throws closes the connection.
  using Handler = std::function<Task<void>(const ServedRequest&, HttpConnection&)>;

  /// Port 0 takes any free one. kConflict when the port is taken, kIo otherwise.
  static Result<std::unique_ptr<HttpServer>> listen(boost::asio::io_context& io, uint16_t port,
                                                    Handler handler, HttpLimits limits = {});

  HttpServer(const HttpServer&) = delete;
  HttpServer& operator=(const HttpServer&) = delete;
  ~HttpServer() = default;

  [[nodiscard]] uint16_t port() const { return port_; }
  [[nodiscard]] size_t connections() const { return live_.size(); }

  /// Accepts no more and closes every connection. Handlers that wait are resumed with `false`.
  void stop();

 private:
  enum class Read : uint8_t { kRequest, kEnd, kBad, kHeaderTooBig, kBodyTooBig };

  HttpServer(boost::asio::io_context& io, boost::asio::ip::tcp::acceptor acceptor, Handler handler,
             HttpLimits limits);

  Task<void> accept_all();
  /// Closes the connections that took too long, all along.
  Task<void> close_overdue();
  Task<void> serve(std::shared_ptr<HttpConnection> connection);
  Task<void> serve_requests(HttpConnection& connection);
  /// `unparsed` holds bytes that were received beyond the request before, and after this one.
  Task<Read> read_request(HttpConnection& connection, std::string& unparsed,
                          ServedRequest& request);

  boost::asio::io_context& io_;
  boost::asio::ip::tcp::acceptor acceptor_;
  boost::asio::steady_timer overdue_timer_;
  const Handler handler_;
  const HttpLimits limits_;
  const uint16_t port_;
  bool stopping_ = false;
  std::unordered_set<HttpConnection*> live_;
};

/// A whole response with Content-Length. `extra_headers` are lines that each end in CRLF.
std::string http_response(int status, std::string_view content_type, std::string_view body,
                          std::string_view extra_headers = {});

/// `HTTP/1.1 200 OK` and CRLF.
std::string http_status_line(int status);

}  // namespace assay
