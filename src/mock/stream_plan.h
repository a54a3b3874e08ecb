#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/clock.h"
#include "mock/answer.h"
#include "mock/behaviour.h"
#include "mock/call.h"
#include "mock/options.h"
#include "mock/schedule.h"

namespace assay {

/// The bytes around an event's text. Three fields are filled in when the event is written: their
/// places are offsets into `before`, where blanks of the right width stand.
struct EventShape {
  static constexpr size_t kStampWidth = 19;  ///< Right-aligned in blanks, which JSON allows.
  static constexpr size_t kWallWidth = 27;   ///< 2026-01-31T12:00:00.123456Z

  std::string before, after;
  std::optional<size_t> due_at, sent_at, wall_at;
};

/// One event: a shape and a slice of the plan's text.
struct PlannedEvent {
  MonoNs due = 0;
  uint32_t shape = 0;
  uint32_t text_begin = 0, text_size = 0;
  bool is_text = false;    ///< Carries tokens.
  bool with_next = false;  ///< Goes out in one write with the event after it.
};

/// A response, planned whole and rendered event by event while it is sent: 24 bytes an event, so
/// that thousands of streams wait cheaply.
struct StreamPlan {
  std::string head;  ///< Status line and headers.
  MonoNs head_due = 0;
  BodyFraming framing = BodyFraming::kChunked;
  std::vector<EventShape> shapes;
  std::vector<PlannedEvent> events;
  std::string text;  ///< Escaped for JSON.
  bool byte_by_byte = false;
  Nanos byte_gap{};
  Ending ending = Ending::kComplete;
  bool cut_last = false;            ///< Only half of the last event is sent.
  std::optional<Nanos> repeat_gap;  ///< The last event repeats for ever, this far apart.
};

/// Everything known about an answer before it is sent.
struct Reply {
  const Call& call;
  const MockOptions& options;
  const Behaviour& behaviour;
  Answer answer;
  Schedule schedule;
  int64_t prompt_tokens = 0;
  int64_t cached_tokens = 0;
  std::string id;         ///< Hexadecimal, for `chatcmpl-...`.
  int64_t created_s = 0;  ///< Unix time.

  Reply(const Call& reply_call, const MockOptions& reply_options, const Behaviour& reply_behaviour)
      : call(reply_call), options(reply_options), behaviour(reply_behaviour) {}

  [[nodiscard]] int64_t completion_tokens() const {
    return static_cast<int64_t>(answer.tokens.size()) + behaviour.claimed_tokens;
  }
};

/// `text` as the inside of a JSON string. Bytes above 127 pass as they are, also invalid ones.
void append_json_escaped(std::string& out, std::string_view text);
std::string json_escaped(std::string_view text);

/// Adds a shape; events refer to it by the number returned.
uint32_t add_shape(StreamPlan& plan, EventShape shape);

/// Adds an event without text, due at `due`.
PlannedEvent& add_event(StreamPlan& plan, MonoNs due, uint32_t shape);

/// Adds one event per group of tokens of one channel. `shape_of(channel, first)` names the shape.
template <class ShapeOf>
void add_token_events(StreamPlan& plan, const Reply& reply, ShapeOf&& shape_of);

/// The next group of tokens from `from`: the index after its last token.
size_t token_group_end(const Reply& reply, size_t from);

/// What only the dialect knows about a stream.
struct StreamParts {
  std::string content_type;
  std::string broken_event;  ///< Whole, as written.
  std::string error_event;
};

/// Gives a stream its headers and applies what of the behaviour concerns events already planned:
/// broken and error events, early endings, coalescing, endless repetition.
void complete_stream(StreamPlan& plan, const Reply& reply, const StreamParts& parts);

/// A response with one body, whole when the last token is due.
StreamPlan body_plan(const Reply& reply, EventShape body);

template <class ShapeOf>
void add_token_events(StreamPlan& plan, const Reply& reply, ShapeOf&& shape_of) {
  bool first = true;
  const auto& tokens = reply.answer.tokens;
  for (size_t at = 0; at < tokens.size();) {
    const size_t end = token_group_end(reply, at);
    PlannedEvent& event =
        add_event(plan, reply.schedule.due[end - 1], shape_of(tokens[at].channel, first));
    first = false;
    event.is_text = true;
    event.text_begin = static_cast<uint32_t>(plan.text.size());
    for (; at < end; ++at) append_json_escaped(plan.text, tokens[at].text);
    event.text_size = static_cast<uint32_t>(plan.text.size()) - event.text_begin;
  }
}

}  // namespace assay
