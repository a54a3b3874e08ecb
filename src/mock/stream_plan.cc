#include "mock/stream_plan.h"

#include <fmt/format.h>

#include <algorithm>

#include "net/http_server.h"

namespace assay {

namespace {

/// Events before the ending, the broken event or the error: the index after the n-th text event.
size_t index_after_text(const StreamPlan& plan, int64_t text_events) {
  if (text_events == 0) return 0;
  int64_t seen = 0;
  for (size_t i = 0; i < plan.events.size(); ++i) {
    if (plan.events[i].is_text && ++seen == text_events) return i + 1;
  }
  return plan.events.size();
}

int64_t text_event_count(const StreamPlan& plan) {
  return std::count_if(plan.events.begin(), plan.events.end(),
                       [](const PlannedEvent& event) { return event.is_text; });
}

void insert_payload(StreamPlan& plan, size_t index, const Reply& reply, std::string_view payload) {
  EventShape shape;
  shape.before = std::string(payload);
  PlannedEvent event;
  event.shape = add_shape(plan, std::move(shape));
  event.due = index > 0 ? plan.events[index - 1].due : reply.schedule.first;
  plan.events.insert(plan.events.begin() + static_cast<std::ptrdiff_t>(index), event);
}

void coalesce(StreamPlan& plan, int64_t group) {
  if (group <= 1) return;
  int64_t in_group = 0;
  for (size_t i = 0; i < plan.events.size(); ++i) {
    PlannedEvent& event = plan.events[i];
    if (!event.is_text) continue;
    const bool next_is_text = i + 1 < plan.events.size() && plan.events[i + 1].is_text;
    event.with_next = ++in_group < group && next_is_text;
    if (!event.with_next) in_group = 0;
  }
}

void cut(StreamPlan& plan, size_t keep, bool inside) {
  if (inside && keep < plan.events.size()) {
    ++keep;
    plan.cut_last = true;
  }
  plan.events.resize(std::min(keep, plan.events.size()));
  if (!plan.events.empty()) plan.events.back().with_next = false;
}

void repeat_last_text(StreamPlan& plan, Nanos gap) {
  while (!plan.events.empty() && !plan.events.back().is_text) plan.events.pop_back();
  plan.repeat_gap = gap;
}

/// Nothing but comments (SSE) or empty lines (NDJSON), for ever.
void only_pings(StreamPlan& plan, const Reply& reply, Nanos every) {
  EventShape shape;
  shape.before = is_ollama(reply.call.api) ? "\n" : ": ping\n\n";
  plan.events.clear();
  const uint32_t number = add_shape(plan, std::move(shape));
  add_event(plan, reply.schedule.start, number);
  plan.repeat_gap = every;
}

int64_t body_size(const StreamPlan& plan) {
  size_t bytes = 0;
  for (const PlannedEvent& event : plan.events) {
    const EventShape& shape = plan.shapes[event.shape];
    bytes += shape.before.size() + event.text_size + shape.after.size();
  }
  return static_cast<int64_t>(bytes);
}

/// Status line and headers; `body_bytes` counts for kLength.
std::string response_head(const Reply& reply, BodyFraming framing, std::string_view content_type,
                          int64_t body_bytes) {
  std::string head = http_status_line(200);
  fmt::format_to(std::back_inserter(head), "Content-Type: {}\r\n", content_type);
  if (is_llama(reply.options.flavor) && reply.options.flavor != Flavor::kAll)
    head += "Server: llama.cpp\r\n";
  switch (framing) {
    case BodyFraming::kLength:
      fmt::format_to(std::back_inserter(head), "Content-Length: {}\r\n", body_bytes);
      break;
    case BodyFraming::kChunked:
      head += "Cache-Control: no-cache\r\nTransfer-Encoding: chunked\r\n";
      break;
    case BodyFraming::kUntilClose:
      head += "Connection: close\r\n";
      break;
  }
  return head + "\r\n";
}

}  // namespace

void append_json_escaped(std::string& out, std::string_view text) {
  for (const char c : text) {
    if (c == '"' || c == '\\') {
      out += '\\';
      out += c;
    } else if (c == '\n') {
      out += "\\n";
    } else if (static_cast<unsigned char>(c) < 0x20) {
      fmt::format_to(std::back_inserter(out), "\\u{:04x}", static_cast<unsigned>(c));
    } else {
      out += c;
    }
  }
}

std::string json_escaped(std::string_view text) {
  std::string out;
  append_json_escaped(out, text);
  return out;
}

uint32_t add_shape(StreamPlan& plan, EventShape shape) {
  plan.shapes.push_back(std::move(shape));
  return static_cast<uint32_t>(plan.shapes.size() - 1);
}

PlannedEvent& add_event(StreamPlan& plan, MonoNs due, uint32_t shape) {
  PlannedEvent event;
  event.due = due;
  event.shape = shape;
  return plan.events.emplace_back(event);
}

size_t token_group_end(const Reply& reply, size_t from) {
  const auto& tokens = reply.answer.tokens;
  const auto limit = static_cast<size_t>(reply.options.tokens_per_event);
  size_t end = from + 1;
  if (tokens[from].channel == AnswerToken::Channel::kToolName) return end;
  while (end < tokens.size() && end - from < limit && tokens[end].channel == tokens[from].channel) {
    ++end;
  }
  return end;
}

void complete_stream(StreamPlan& plan, const Reply& reply, const StreamParts& parts) {
  const Behaviour& behaviour = reply.behaviour;
  plan.ending = behaviour.ending;
  plan.byte_by_byte = behaviour.byte_by_byte;
  plan.byte_gap = behaviour.byte_gap;
  coalesce(plan, behaviour.coalesce.value_or(reply.options.coalesce));
  const int64_t half = (text_event_count(plan) + 1) / 2;
  const size_t keep = index_after_text(plan, behaviour.text_events.value_or(half));
  if (behaviour.bad_json) insert_payload(plan, keep, reply, parts.broken_event);
  if (behaviour.error_event != Behaviour::ErrorEvent::kNone) {
    insert_payload(plan, keep, reply, parts.error_event);
    cut(plan, keep + 1, false);
  }
  if (behaviour.ending != Ending::kComplete) cut(plan, keep, behaviour.cut_inside);
  if (behaviour.endless) repeat_last_text(plan, reply.options.gap);
  if (behaviour.pings) only_pings(plan, reply, *behaviour.pings);
  if (behaviour.promised_bytes != 0) plan.ending = Ending::kClose;
  plan.framing = behaviour.framing.value_or(BodyFraming::kChunked);
  plan.head = response_head(reply, plan.framing, parts.content_type,
                            body_size(plan) + behaviour.promised_bytes);
  plan.head_due = reply.schedule.start;
}

StreamPlan body_plan(const Reply& reply, EventShape body) {
  const Behaviour& behaviour = reply.behaviour;
  StreamPlan plan;
  plan.framing = behaviour.framing.value_or(BodyFraming::kLength);
  const auto promised = static_cast<int64_t>(body.before.size()) + behaviour.promised_bytes;
  plan.head = response_head(reply, plan.framing, "application/json", promised);
  // The headers of a whole answer come with it; those of one that never comes, at once.
  const bool silent = behaviour.text_events == 0 || behaviour.pings;
  plan.head_due = silent ? reply.schedule.start : reply.schedule.last;
  plan.byte_by_byte = behaviour.byte_by_byte;
  plan.byte_gap = behaviour.byte_gap;
  plan.ending = behaviour.pings                 ? Ending::kHang
                : behaviour.promised_bytes != 0 ? Ending::kClose
                                                : behaviour.ending;
  if (silent) return plan;
  add_event(plan, reply.schedule.last, add_shape(plan, std::move(body)));
  plan.cut_last = behaviour.ending != Ending::kComplete;
  return plan;
}

}  // namespace assay
