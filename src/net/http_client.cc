#include "net/http_client.h"

#include <fmt/format.h>

namespace assay {
namespace {

std::string wire_format(const Url& url, const HttpRequest& request, const Secret& key) {
  std::string wire = fmt::format(
      "{} {}{} HTTP/1.1\r\nHost: {}\r\nUser-Agent: assay/" ASSAY_VERSION "\r\nAccept: {}\r\n",
      request.method, url.path, request.target, url.authority(), request.accept);
  for (const auto& [name, value] : request.headers) wire += fmt::format("{}: {}\r\n", name, value);
  if (!key.empty()) wire += fmt::format("Authorization: Bearer {}\r\n", key.reveal());
  if (!request.body.empty() || request.method == "POST") {
    wire += fmt::format("Content-Type: application/json\r\nContent-Length: {}\r\n",
                        request.body.size());
  }
  wire += "\r\n";
  wire += request.body;
  return wire;
}

}  // namespace

std::unique_ptr<Connection> HttpClient::take_kept(const std::string& origin) {
  auto& kept = kept_[origin];
  while (!kept.empty()) {
    std::unique_ptr<Connection> connection = std::move(kept.back());
    kept.pop_back();
    if (connection->is_idle_and_open()) return connection;
  }
  return nullptr;
}

Task<void> HttpClient::run(Connection& connection, std::string& wire, CallWatch& watch,
                           OnBody on_body, Exchange& result, bool& reusable) {
  MonoNs sent_at = 0;
  result.failure = co_await connection.write(wire, sent_at);
  if (sent_at != 0) {
    result.sent = sent_at;
    watch.sent(sent_at);
  }
  if (result.failure) co_return;
  result.sent_end = mono_now_ns();

  ResponseParser parser;
  bool enough = false;
  while (!parser.done() && !enough) {
    ReadPiece piece;
    result.failure = co_await connection.read(piece);
    if (result.failure) break;
    if (!result.first_byte && !piece.bytes.empty()) {
      result.first_byte = piece.stamp.at;
      watch.first_byte();
      std::string().swap(wire);  // A prompt may be long; an assignment would keep its room.
    }
    if (!piece.bytes.empty()) result.last_byte = piece.stamp.at;
    const auto pass_on = [&](std::string_view bytes) {
      if (!enough && !on_body(parser.head(), bytes, piece.stamp)) enough = true;
    };
    Result<void> parsed = parser.feed(piece.bytes, pass_on);
    if (parsed && piece.end) {
      if (!result.first_byte) {
        result.failure = Failure(failure::kClosed, "the server closed without an answer");
        break;
      }
      parsed = parser.finish();
      if (!parsed) {
        result.failure =
            Failure(failure::kIncomplete, "the server closed before the answer was complete");
        break;
      }
      if (!parser.done()) break;
    }
    if (!parsed) {
      result.failure = Failure(failure::kHttpSyntax, parsed.error().message);
      break;
    }
  }
  result.head = parser.head();
  reusable = !result.failure && !enough && parser.keep_alive();
}

Task<Exchange> HttpClient::exchange(const Url& url, HttpRequest&& request, const Secret& key,
                                    CallWatch& watch, OnBody on_body) {
  std::string wire = wire_format(url, request, key);
  std::string().swap(request.body);
  const std::string origin = fmt::format("{}{}:{}", url.tls ? "s" : "", url.host, url.port);
  Exchange result;
  std::unique_ptr<Connection> connection = take_kept(origin);
  bool reusable = false;
  if (connection) {
    watch.watch(&connection->socket());
    watch.connected();
    co_await run(*connection, wire, watch, on_body, result, reusable);
    const bool went_stale =
        result.failure && !result.first_byte && watch.expired() == Expired::kNo &&
        (result.failure->code == failure::kClosed || result.failure->code == failure::kReset);
    if (went_stale) {
      watch.watch(nullptr);
      connection.reset();
      result = Exchange();
    }
  }
  if (!connection) {
    connection = std::make_unique<Connection>(io_, context_);
    result.failure = co_await connection->connect(url, watch);
    if (!result.failure) {
      result.connected = mono_now_ns();
      watch.connected();
      co_await run(*connection, wire, watch, on_body, result, reusable);
    }
  }
  result.min_rtt_us = connection->min_rtt_us();
  watch.watch(nullptr);
  if (reusable) kept_[origin].push_back(std::move(connection));
  co_return result;
}

Task<Result<std::pair<ResponseHead, std::string>>> HttpClient::fetch(const Url& url,
                                                                     const HttpRequest& request,
                                                                     const Secret& key,
                                                                     Nanos timeout) {
  Limits limits;
  limits.connect = limits.first_byte = limits.first_token = limits.idle = limits.total = timeout;
  CallWatch watch(io_, limits);
  std::string body;
  bool too_large = false;
  const auto collect = [&](const ResponseHead&, std::string_view bytes, const Stamp&) {
    too_large = body.size() + bytes.size() > kMaxDocumentBytes;
    if (!too_large) body += bytes;
    return !too_large;
  };
  HttpRequest copy = request;
  Exchange done = co_await exchange(url, std::move(copy), key, watch, collect);
  if (watch.expired() == Expired::kCancelled) co_return fail(Errc::kCancelled, "stopped");
  if (watch.expired() != Expired::kNo) {
    co_return fail(Errc::kTimeout, fmt::format("{}{} did not answer within {} ms", url.text(),
                                               request.target, timeout.count() / 1'000'000));
  }
  if (too_large) {
    co_return fail(Errc::kProtocol, fmt::format("{}{} answered more than {} bytes", url.text(),
                                                request.target, kMaxDocumentBytes));
  }
  if (done.failure) co_return fail(Errc::kUnavailable, done.failure->message);
  co_return std::pair(std::move(done.head), std::move(body));
}

}  // namespace assay
