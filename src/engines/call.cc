#include "engines/call.h"

#include <fmt/format.h>

#include <charconv>
#include <ctime>

#include "base/text.h"
#include "net/sse_parser.h"

namespace assay {
namespace {

constexpr size_t kMaxErrorBody = 4096;

enum class Body : uint8_t { kSse, kLines, kDocument, kError, kForeign };

/// How to read the body, by what the server says it is; servers that say nothing speak their own
/// dialect's framing.
Body body_kind(const ResponseHead& head, Framing framing) {
  if (head.status < 200 || head.status >= 300) return Body::kError;
  const std::string type = to_lower(head.header("content-type"));
  if (type.find("event-stream") != std::string::npos) return Body::kSse;
  if (type.find("ndjson") != std::string::npos) return Body::kLines;
  if (type.find("html") != std::string::npos) return Body::kForeign;
  if (framing == Framing::kLines) return Body::kLines;
  return type.find("json") != std::string::npos ? Body::kDocument : Body::kSse;
}

struct Ending {
  Outcome outcome;
  std::string_view code;
  std::string_view what;
};

Ending ending(Expired why) {
  switch (why) {
    case Expired::kConnect:
      return {Outcome::kTimeout, "timeout:connect", "the connection was not made in time"};
    case Expired::kFirstByte:
      return {Outcome::kTimeout, "timeout:first_byte", "no byte of an answer came in time"};
    case Expired::kFirstToken:
      return {Outcome::kTimeout, "timeout:first_token", "no token came in time"};
    case Expired::kIdle:
      return {Outcome::kTimeout, "timeout:idle", "the tokens stopped coming"};
    case Expired::kTotal:
      return {Outcome::kTimeout, "timeout:total", "the call took longer than it may"};
    default:
      return {Outcome::kCancelled, "cancelled", "stopped on request"};
  }
}

/// Seconds, or an HTTP date.
std::optional<Nanos> parse_retry_after(std::string_view text) {
  if (text.empty()) return std::nullopt;
  int64_t seconds = 0;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), seconds);
  constexpr int64_t kMost = 1'000'000;
  if (error == std::errc::result_out_of_range) return std::chrono::seconds(kMost);
  if (error == std::errc() && end == text.data() + text.size()) {
    return std::chrono::seconds(std::clamp<int64_t>(seconds, 0, kMost));
  }
  std::tm date{};
  const std::string copy(text);
  if (::strptime(copy.c_str(), "%a, %d %b %Y %H:%M:%S GMT", &date) == nullptr) return std::nullopt;
  const int64_t wait = int64_t{::timegm(&date)} - wall_now_ns() / 1'000'000'000;
  return std::chrono::seconds(std::clamp<int64_t>(wait, 0, kMost));
}

/// Drops the optional body member that the server's refusal names, if there is one.
bool drop_refused_member(Optional400& accepts, int status, std::string_view body) {
  if (status != 400 && status != 422) return false;
  const auto drop = [&](bool& member, std::string_view name) {
    if (!member || body.find(name) == std::string_view::npos) return false;
    member = false;
    return true;
  };
  return drop(accepts.stream_options, "stream_options") || drop(accepts.ignore_eos, "ignore_eos") ||
         drop(accepts.min_tokens, "min_tokens");
}

/// The one line that a person needs from an error body.
std::string error_text(int status, std::string_view body, const Engine& engine) {
  Delta delta;
  size_t error_at = 0;
  std::string said;
  if (const_cast<Engine&>(engine).decode(body, delta, error_at) && delta.has_error) {
    said = delta.error;
  } else {
    said = body;
  }
  return fmt::format("the server answered {}: {}", status,
                     printable(engine.key().redact(std::move(said)), 300));
}

void copy_instants(const Exchange& exchange, MonoNs epoch, CallRecord& record) {
  const auto since = [epoch](const std::optional<MonoNs>& at) {
    return at ? std::optional<int64_t>(*at - epoch) : std::nullopt;
  };
  record.at.connected = since(exchange.connected);
  record.at.sent = since(exchange.sent);
  record.at.sent_end = since(exchange.sent_end);
  record.at.first_byte = since(exchange.first_byte);
  record.min_rtt_us = exchange.min_rtt_us;
  if (exchange.head.status != 0) record.http_status = exchange.head.status;
  if (!record.at.done) record.at.done = since(exchange.last_byte);
}

}  // namespace

Task<CallResult> call_engine(Engine& engine, const CallRequest& request, CallRecord planned,
                             MonoNs epoch, CallWatch& watch, const OnLive* live) {
  CallResult result;
  CallRecord& record = result.record = std::move(planned);
  record.backend = engine.kind();
  HttpRequest http = engine.chat_request(request);
  if (request.want_stamps) http.headers.emplace_back("X-Assay-Stamp", "1");

  StreamRecorder recorder(record, epoch, request, &watch, live);
  SseParser sse;
  LineParser lines;
  std::string document;  // An unstreamed answer, or the body of an error.
  const auto on_body = [&](const ResponseHead& head, std::string_view bytes, const Stamp& stamp) {
    recorder.begin_read(stamp);
    bool go_on = true;
    const auto on_payload = [&](std::string_view payload) {
      if (go_on) go_on = recorder.on_event(engine, payload);
    };
    const auto on_sse = [&](std::string_view, std::string_view data) { on_payload(data); };
    bool fits = true;
    switch (body_kind(head, engine.framing())) {
      case Body::kSse:
        fits = sse.feed(bytes, on_sse);
        break;
      case Body::kLines:
        fits = lines.feed(bytes, on_payload);
        break;
      case Body::kDocument:
        document.append(bytes);
        fits = document.size() <= StreamRecorder::kMaxAnswerBytes;
        break;
      case Body::kError:
      case Body::kForeign:
        document.append(bytes.substr(0, kMaxErrorBody - std::min(document.size(), kMaxErrorBody)));
        break;
    }
    if (!fits) recorder.fail_call(Outcome::kError, "over_limit", "an event was above 4 MiB");
    return go_on && fits;
  };

  record.at.start = mono_now_ns() - epoch;
  if (!record.at.due) record.at.due = record.at.start;
  const Exchange exchange =
      co_await engine.http().exchange(engine.url(), http, engine.key(), watch, on_body);

  // `sent` is known only now to the record; the recorder's first delta counts from it.
  copy_instants(exchange, epoch, record);
  const Body kind = body_kind(exchange.head, engine.framing());
  const int status = exchange.head.status;
  if (watch.expired() != Expired::kNo && !recorder.failed()) {
    const Ending end = ending(watch.expired());
    recorder.fail_call(end.outcome, end.code, std::string(end.what));
  } else if (exchange.failure &&
             !(exchange.failure->code == failure::kIncomplete && recorder.finish_reason_seen())) {
    recorder.fail_call(Outcome::kError, exchange.failure->code, exchange.failure->message);
  } else if (kind == Body::kError) {
    recorder.fail_call(Outcome::kError, fmt::format("http_{}", status),
                       error_text(status, document, engine));
    result.retry_after = parse_retry_after(exchange.head.header("retry-after"));
    result.refused_member = drop_refused_member(engine.accepts, status, document);
  } else if (kind == Body::kForeign) {
    recorder.fail_call(Outcome::kError, "not_a_stream",
                       fmt::format("the server answered {} instead of a stream: {}",
                                   printable(exchange.head.header("content-type"), 60),
                                   printable(engine.key().redact(document), 120)));
  } else if (kind == Body::kDocument) {
    recorder.on_document(engine, document);
  } else if (kind == Body::kLines) {
    lines.finish([&](std::string_view payload) { recorder.on_event(engine, payload); });
  }
  recorder.finish();
  if (const std::string_view routed = exchange.head.header("x-weeyuga-backend"); !routed.empty()) {
    record.backend = printable(routed, 60);
  }
  if (const MonoNs jump = engine.http().last_clock_jump();
      jump != 0 && jump - epoch > *record.at.start) {
    recorder.add_flag("clock_jump");
  }
  result.text = recorder.text();
  co_return result;
}

}  // namespace assay
