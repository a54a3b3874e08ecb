#pragma once

#include <cstdint>
#include <limits>
#include <optional>
#include <string>
#include <string_view>

#include "base/clock.h"
#include "mock/options.h"

namespace assay {

/// How a response ends once its events are sent.
enum class Ending : uint8_t {
  kComplete,
  kClose,  ///< FIN, whatever the framing still promised.
  kReset,  ///< RST.
  kHang,   ///< Nothing more, connection open until the client leaves.
};

/// How the client learns where the body ends.
enum class BodyFraming : uint8_t {
  kLength,      ///< Content-Length.
  kChunked,     ///< Transfer-Encoding: chunked.
  kUntilClose,  ///< Connection: close and no length.
};

/// How one answer departs from a normal one. The defaults are the normal answer; a fault is a
/// change to some of these fields (see faults.cc), and no other code knows a fault by its name.
struct Behaviour {
  static constexpr int64_t kAlways = std::numeric_limits<int64_t>::max();
  enum class RetryAfter : uint8_t { kNone, kSeconds, kDate };
  enum class ErrorEvent : uint8_t { kNone, kObject, kText };

  // Instead of an answer.
  int status = 0;                ///< Not 0: this status ...
  int64_t status_for = 0;        ///< ... for the first so many requests of the model.
  std::string_view status_text;  ///< The message beside it; empty: a usual one.
  RetryAfter retry_after = RetryAfter::kNone;
  int64_t retry_seconds = 0;
  bool refuse_stream_options = false;
  bool html = false;
  bool reset_at_start = false;
  bool hang_before_headers = false;
  Nanos header_delay{};

  // What is said.
  std::optional<std::string> text;  ///< In place of the script's or the filler.
  int64_t one_token_bytes = 0;      ///< Not 0: one token of this size.
  bool empty = false;               ///< No text at all.
  bool split_think_tags = false;
  bool tool_calls = false;
  bool endless = false;  ///< Repeats its last text event, whatever max_tokens says.
  std::optional<RoleMode> role;
  bool null_first = false;     ///< A first chunk with `content: null`.
  bool empty_choices = false;  ///< Every chunk has `choices: []`.
  bool finish = true;          ///< finish_reason, done_reason.
  bool done = true;            ///< `[DONE]`, Ollama's final line.
  bool usage = true;
  bool usage_chunk_first = false;  ///< Also a usage chunk without choices in front, unasked.
  bool absurd_usage = false;
  int64_t claimed_tokens = 0;  ///< Added to the number of tokens that the usage claims.
  bool bad_json = false;       ///< One broken event after `text_events`.
  ErrorEvent error_event = ErrorEvent::kNone;  ///< After `text_events`, and then the end.

  // How it is written.
  std::string_view line_end = "\n";
  bool space_after_colon = true;
  bool split_data_lines = false;
  bool comments = false;       ///< A comment before each event.
  std::optional<Nanos> pings;  ///< Only comments (Ollama: empty lines), one each so often.
  std::optional<int64_t> coalesce;
  bool byte_by_byte = false;
  Nanos byte_gap{};
  std::optional<BodyFraming> framing;
  int64_t promised_bytes = 0;  ///< Added to Content-Length.

  // How it ends.
  Ending ending = Ending::kComplete;
  /// Text events before the ending, the broken event or the error; absent: half of them.
  std::optional<int64_t> text_events;
  bool cut_inside = false;  ///< Half of one more event goes out before the ending.

  /// Whether this many-th request of the model (from 1) gets `status`.
  [[nodiscard]] bool refuses(int64_t attempt) const { return status != 0 && attempt <= status_for; }
};

}  // namespace assay
