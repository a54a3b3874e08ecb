#pragma once

#include <boost/asio/io_context.hpp>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "base/function_ref.h"
#include "base/secret.h"
#include "net/connection.h"
#include "net/response_parser.h"

namespace assay {

/// A request. Host, Content-Length, User-Agent and the credential are added when it is sent.
struct HttpRequest {
  std::string method = "GET";
  std::string target = "/";
  std::string body;
  std::string accept = "application/json";
  std::vector<std::pair<std::string, std::string>> headers;
};

/// What became of one exchange. Instants are CLOCK_MONOTONIC.
struct Exchange {
  ResponseHead head;
  std::optional<MonoNs> connected;  ///< Absent when a kept connection was used.
  std::optional<MonoNs> sent;
  std::optional<MonoNs> sent_end;
  std::optional<MonoNs> first_byte;
  std::optional<MonoNs> last_byte;
  std::optional<int64_t> min_rtt_us;
  std::optional<Failure> failure;  ///< Network and HTTP only; a status of 500 is no failure here.
};

/// Body bytes as they come. False: enough was seen, the connection is closed.
using OnBody = FunctionRef<bool(const ResponseHead&, std::string_view, const Stamp&)>;

/// A keep-alive pool of HTTP/1.1 connections and the exchanges on them. Redirects are not followed.
/// Load thread only.
class HttpClient {
 public:
  explicit HttpClient(boost::asio::io_context& io) : io_(io) {}

  /// Sends `request` and passes the body on. Always completes: whatever went wrong is in the
  /// result. A kept connection that the server had closed is replaced once, unseen. The body of
  /// `request` is let go: a waiting call should not hold a long prompt twice.
  Task<Exchange> exchange(const Url& url, HttpRequest&& request, const Secret& key,
                          CallWatch& watch, OnBody on_body);

  /// The whole body of a small request, for probes and lists: at most `kMaxDocumentBytes`.
  Task<Result<std::pair<ResponseHead, std::string>>> fetch(const Url& url,
                                                           const HttpRequest& request,
                                                           const Secret& key, Nanos timeout);
  static constexpr size_t kMaxDocumentBytes = 8U << 20;

  /// Instant of the last step of the wall clock; see KernelClock.
  [[nodiscard]] MonoNs last_clock_jump() const { return context_.clock.last_jump(); }
  [[nodiscard]] boost::asio::io_context& io() { return io_; }
  /// Closes the kept connections.
  void drop_kept() { kept_.clear(); }

 private:
  std::unique_ptr<Connection> take_kept(const std::string& origin);
  /// `wire` is emptied once nobody will want it again.
  Task<void> run(Connection& connection, std::string& wire, CallWatch& watch, OnBody on_body,
                 Exchange& result, bool& reusable);

  boost::asio::io_context& io_;
  ReadContext context_;
  std::map<std::string, std::vector<std::unique_ptr<Connection>>> kept_;
};

}  // namespace assay
