#include "mock/ollama_dialect.h"

#include <fmt/format.h>

#include "mock/wall_time.h"

namespace assay {

namespace {

using Channel = AnswerToken::Channel;

constexpr std::string_view kErrorText = "an error was encountered while running the model";

bool is_chat(const Call& call) { return call.api == Api::kOllamaChat; }

/// A line from `model` on; `members` come after `created_at`.
EventShape line_shape(const Reply& reply, std::string_view before, std::string_view after) {
  EventShape shape;
  shape.before = "{";
  if (reply.call.stamped) {
    shape.before += R"("assay_due_ns":)";
    shape.due_at = shape.before.size();
    shape.before.append(EventShape::kStampWidth, ' ');
    shape.before += R"(,"assay_sent_ns":)";
    shape.sent_at = shape.before.size();
    shape.before.append(EventShape::kStampWidth, ' ');
    shape.before += ",";
  }
  shape.before += fmt::format(R"("model":"{}","created_at":")", json_escaped(reply.call.model));
  shape.wall_at = shape.before.size();
  shape.before.append(EventShape::kWallWidth, ' ');
  shape.before += "\"," + std::string(before);
  shape.after = std::string(after) + std::string(reply.behaviour.line_end);
  return shape;
}

EventShape token_shape(const Reply& reply, Channel channel) {
  if (is_chat(reply.call)) {
    return channel == Channel::kReasoning
               ? line_shape(reply, R"("message":{"role":"assistant","content":"","thinking":")",
                            R"("},"done":false})")
               : line_shape(reply, R"("message":{"role":"assistant","content":")",
                            R"("},"done":false})");
  }
  return channel == Channel::kReasoning
             ? line_shape(reply, R"("response":"","thinking":")", R"(","done":false})")
             : line_shape(reply, R"("response":")", R"(","done":false})");
}

std::string tool_calls_json(const Reply& reply) {
  return fmt::format(R"("tool_calls":[{{"function":{{"name":"{}","arguments":{}}}}}])",
                     json_escaped(reply.answer.text(Channel::kToolName)),
                     reply.answer.text(Channel::kToolArguments));
}

bool calls_tool(const Reply& reply) { return reply.answer.finish_reason == "tool_calls"; }

/// Times and counts of the final object, each with a comma in front. The times are the schedule's.
std::string account_json(const Reply& reply) {
  if (!reply.options.usage || !reply.behaviour.usage) return {};
  const Schedule& schedule = reply.schedule;
  std::string text = fmt::format(R"(,"total_duration":{},"load_duration":{})",
                                 schedule.last - schedule.received, schedule.load.count());
  if (reply.behaviour.absurd_usage) {
    return text +
           R"(,"prompt_eval_count":-5,"prompt_eval_duration":-5,"eval_count":1e99,"eval_duration":1e99)";
  }
  text += fmt::format(R"(,"prompt_eval_count":{},"prompt_eval_duration":{})", reply.prompt_tokens,
                      schedule.prefill.count());
  if (reply.options.prefix_cache) {
    text += fmt::format(R"(,"prompt_eval_cached_count":{})", reply.cached_tokens);
  }
  return text + fmt::format(R"(,"eval_count":{},"eval_duration":{})", reply.completion_tokens(),
                            schedule.last - schedule.first);
}

std::string done_json(const Reply& reply) {
  std::string text = R"(,"done":true)";
  if (reply.behaviour.finish) {
    text += fmt::format(R"(,"done_reason":"{}")",
                        calls_tool(reply) ? "stop" : reply.answer.finish_reason);
  }
  return text + account_json(reply) + "}";
}

/// Tool calls come whole, in one line when the last of their tokens is due.
void add_tool_line(StreamPlan& plan, const Reply& reply) {
  const uint32_t shape = add_shape(
      plan,
      line_shape(reply, R"("message":{"role":"assistant","content":"",)" + tool_calls_json(reply),
                 R"(},"done":false})"));
  add_event(plan, reply.schedule.last, shape).is_text = true;
}

}  // namespace

StreamPlan ollama_stream(const Reply& reply) {
  StreamPlan plan;
  if (calls_tool(reply)) {
    add_tool_line(plan, reply);
  } else {
    const uint32_t content = add_shape(plan, token_shape(reply, Channel::kContent));
    const uint32_t thinking = add_shape(plan, token_shape(reply, Channel::kReasoning));
    add_token_events(plan, reply, [&](Channel channel, bool) {
      return channel == Channel::kReasoning ? thinking : content;
    });
  }
  if (reply.behaviour.done) {
    const std::string_view empty =
        is_chat(reply.call) ? R"("message":{"role":"assistant","content":""})" : R"("response":"")";
    add_event(plan, reply.schedule.last,
              add_shape(plan, line_shape(reply, empty, done_json(reply))));
  }
  StreamParts parts;
  parts.content_type = "application/x-ndjson";
  const std::string end(reply.behaviour.line_end);
  parts.broken_event = R"({"model":"mock","message":{"content":"bro)" + end;
  parts.error_event = ollama_error(kErrorText) + end;
  complete_stream(plan, reply, parts);
  return plan;
}

EventShape ollama_body(const Reply& reply) {
  EventShape body;
  if (reply.behaviour.error_event != Behaviour::ErrorEvent::kNone) {
    body.before = ollama_error(kErrorText);
    return body;
  }
  const std::string content = json_escaped(reply.answer.text(Channel::kContent));
  const std::string reasoning = json_escaped(reply.answer.text(Channel::kReasoning));
  std::string thinking;
  if (!reasoning.empty()) thinking = fmt::format(R"(,"thinking":"{}")", reasoning);
  body.before = fmt::format(R"({{"model":"{}","created_at":")", json_escaped(reply.call.model));
  body.wall_at = body.before.size();
  body.before.append(EventShape::kWallWidth, ' ');
  body.before += "\",";
  if (is_chat(reply.call)) {
    const std::string tools = calls_tool(reply) ? "," + tool_calls_json(reply) : std::string();
    body.before += fmt::format(R"("message":{{"role":"assistant","content":"{}"{}{}}})", content,
                               thinking, tools);
  } else {
    body.before += fmt::format(R"("response":"{}"{})", content, thinking);
  }
  body.before += done_json(reply);
  if (reply.behaviour.bad_json) body.before.resize(body.before.size() - 1);
  return body;
}

std::string ollama_load_body(const Call& call) {
  const std::string_view empty =
      is_chat(call) ? R"("message":{"role":"assistant","content":""})" : R"("response":"")";
  return fmt::format(R"({{"model":"{}","created_at":"{}",{},"done":true,"done_reason":"{}"}})",
                     json_escaped(call.model), wall_time_text(wall_now_ns()), empty,
                     call.unload ? "unload" : "load");
}

std::string ollama_error(std::string_view message) {
  return fmt::format(R"({{"error":"{}"}})", json_escaped(message));
}

}  // namespace assay
