#pragma once

#include <optional>
#include <string>
#include <string_view>

#include "engines/engine.h"
#include "engines/stream_recorder.h"
#include "net/sse_parser.h"

namespace assay {

/// Cuts the body of an answer into events, by what the server says it is, and settles how the call
/// ended. The same for every dialect; knows nothing of sockets. Load thread only.
class AnswerReader {
 public:
  AnswerReader(Engine& engine, StreamRecorder& recorder) : engine_(engine), recorder_(recorder) {}

  /// Body bytes as they came. False when nothing more is needed.
  bool feed(const ResponseHead& head, std::string_view bytes, const Stamp& stamp);
  /// The exchange is over: with a failure of the network, a limit that ran out, or properly.
  void end(const ResponseHead& head, const std::optional<Failure>& failure, Expired expired);

  /// The body of an answer that was no 2xx, at most 4 KiB.
  [[nodiscard]] std::string_view error_body() const { return document_; }

 private:
  enum class Body : uint8_t { kSse, kLines, kDocument, kError, kForeign };
  /// How to read the body, by what the server says it is; servers that say nothing speak their own
  /// dialect's framing.
  static Body body_kind(const ResponseHead& head, Framing framing);

  Engine& engine_;
  StreamRecorder& recorder_;
  SseParser sse_;
  LineParser lines_;
  std::optional<Body> kind_;  // Since the first byte of the body.
  std::string document_;      // An unstreamed answer, or the body of an error.
};

}  // namespace assay
