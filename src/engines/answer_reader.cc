#include "engines/answer_reader.h"

#include <fmt/format.h>

#include <algorithm>

#include "base/text.h"

namespace assay {
namespace {

constexpr size_t kMaxErrorBody = 4096;

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
    case Expired::kBusy:
      return {Outcome::kTimeout, "timeout:busy",
              "no token came while the engine's machine was busy all the time"};
    case Expired::kTotal:
      return {Outcome::kTimeout, "timeout:total", "the call took longer than it may"};
    default:
      return {Outcome::kCancelled, "cancelled", "stopped on request"};
  }
}

/// The one line that a person needs from an error body.
std::string error_text(int status, std::string_view body, Engine& engine) {
  Delta delta;
  size_t error_at = 0;
  std::string said;
  if (engine.decode(body, delta, error_at) && delta.has_error) {
    said = delta.error;
  } else {
    said = body;
  }
  return fmt::format("the server answered {}: {}", status,
                     printable(engine.key().redact(std::move(said)), 300));
}

}  // namespace

AnswerReader::Body AnswerReader::body_kind(const ResponseHead& head, Framing framing) {
  if (head.status < 200 || head.status >= 300) return Body::kError;
  const std::string type = to_lower(head.header("content-type"));
  if (type.find("event-stream") != std::string::npos) return Body::kSse;
  if (type.find("ndjson") != std::string::npos) return Body::kLines;
  if (type.find("html") != std::string::npos) return Body::kForeign;
  if (framing == Framing::kLines) return Body::kLines;
  return type.find("json") != std::string::npos ? Body::kDocument : Body::kSse;
}

bool AnswerReader::feed(const ResponseHead& head, std::string_view bytes, const Stamp& stamp) {
  recorder_.begin_read(stamp);
  bool go_on = true;
  const auto on_payload = [&](std::string_view payload) {
    if (go_on) go_on = recorder_.on_event(engine_, payload);
  };
  bool fits = true;
  if (!kind_) kind_ = body_kind(head, engine_.framing());
  switch (*kind_) {
    case Body::kSse:
      fits = sse_.feed(bytes, [&](std::string_view, std::string_view data) { on_payload(data); });
      break;
    case Body::kLines:
      fits = lines_.feed(bytes, on_payload);
      break;
    case Body::kDocument:
      document_.append(bytes);
      fits = document_.size() <= StreamRecorder::kMaxAnswerBytes;
      break;
    case Body::kError:
    case Body::kForeign:
      document_.append(bytes.substr(0, kMaxErrorBody - std::min(document_.size(), kMaxErrorBody)));
      break;
  }
  if (!fits) recorder_.fail_call(Outcome::kError, "over_limit", "an event was above 4 MiB");
  return go_on && fits;
}

void AnswerReader::end(const ResponseHead& head, const std::optional<Failure>& failure,
                       Expired expired) {
  const Body kind = body_kind(head, engine_.framing());
  // A stream that was cut after its finish reason is whole as far as anybody needs it, and flagged.
  const bool harmless = failure && expired == Expired::kNo && recorder_.finish_reason_seen() &&
                        (failure->code == failure::kIncomplete ||
                         failure->code == failure::kReset || failure->code == failure::kClosed);
  if (harmless) recorder_.add_flag("no_done");
  if (expired != Expired::kNo) {
    const Ending end = ending(expired);
    recorder_.fail_call(end.outcome, end.code, std::string(end.what));
  } else if (failure && !harmless) {
    recorder_.fail_call(Outcome::kError, failure->code, failure->message);
  } else if (kind == Body::kError) {
    recorder_.fail_call(Outcome::kError, fmt::format("http_{}", head.status),
                        error_text(head.status, document_, engine_));
  } else if (kind == Body::kForeign) {
    recorder_.fail_call(Outcome::kError, "not_a_stream",
                        fmt::format("the server answered {} instead of a stream: {}",
                                    printable(head.header("content-type"), 60),
                                    printable(engine_.key().redact(document_), 120)));
  } else if (kind == Body::kDocument) {
    recorder_.on_document(engine_, document_);
  } else if (kind == Body::kLines && !recorder_.failed()) {
    lines_.finish([&](std::string_view payload) { recorder_.on_event(engine_, payload); });
  }
  recorder_.finish();
}

}  // namespace assay
