#include "mock/openai_dialect.h"

#include <fmt/format.h>

#include <map>
#include <utility>

#include "mock/lmstudio_dialect.h"

namespace assay {

namespace {

using Channel = AnswerToken::Channel;

constexpr std::string_view kErrorText = "the model failed while it was answering";

bool is_chat(const Reply& reply) { return reply.call.api != Api::kOpenAiText; }

bool has_timings(const Reply& reply) { return is_llama(reply.options.flavor); }

bool gives_usage(const Reply& reply) { return reply.options.usage && reply.behaviour.usage; }

std::string usage_json(const Reply& reply) {
  if (reply.behaviour.absurd_usage) {
    return R"("usage":{"prompt_tokens":-5,"completion_tokens":1e99,"total_tokens":1e99})";
  }
  std::string text =
      fmt::format(R"("usage":{{"prompt_tokens":{},"completion_tokens":{},"total_tokens":{},)"
                  R"("prompt_tokens_details":{{"cached_tokens":{}}})",
                  reply.prompt_tokens, reply.completion_tokens(),
                  reply.prompt_tokens + reply.completion_tokens(), reply.cached_tokens);
  if (reply.answer.reasoning_tokens > 0) {
    text += fmt::format(R"(,"completion_tokens_details":{{"reasoning_tokens":{}}})",
                        reply.answer.reasoning_tokens);
  }
  return text + "}";
}

/// llama-server's times, from the schedule: prompt from the start to the first token, generation
/// from the first to the last.
std::string timings_json(const Reply& reply) {
  const Schedule& schedule = reply.schedule;
  const int64_t prompt_n = reply.prompt_tokens - reply.cached_tokens;
  const double prompt_ms = static_cast<double>(schedule.prefill.count()) / 1e6;
  const int64_t predicted_n = reply.completion_tokens();
  const double predicted_ms = static_cast<double>(schedule.last - schedule.first) / 1e6;
  const auto ratio = [](double a, double b) { return b > 0 ? a / b : 0.0; };
  const auto count = [](int64_t n) { return static_cast<double>(n); };
  return fmt::format(
      R"("timings":{{"cache_n":{},"prompt_n":{},"prompt_ms":{:.6f},"prompt_per_token_ms":{:.6f},)"
      R"("prompt_per_second":{:.6f},"predicted_n":{},"predicted_ms":{:.6f},)"
      R"("predicted_per_token_ms":{:.6f},"predicted_per_second":{:.6f}}})",
      reply.cached_tokens, prompt_n, prompt_ms, ratio(prompt_ms, count(prompt_n)),
      ratio(count(prompt_n) * 1e3, prompt_ms), predicted_n, predicted_ms,
      ratio(predicted_ms, count(predicted_n)), ratio(count(predicted_n) * 1e3, predicted_ms));
}

/// Usage and timings as they follow other members: each with a comma in front.
std::string account_json(const Reply& reply, bool with_usage) {
  if (!gives_usage(reply)) return {};
  std::string text;
  if (with_usage) text += "," + usage_json(reply);
  if (has_timings(reply)) text += "," + timings_json(reply);
  if (reply.call.api == Api::kLmStudioOlderChat) text += "," + lm_studio_older_stats(reply);
  return text;
}

std::string reply_id(const Reply& reply) {
  return (is_chat(reply) ? "chatcmpl-" : "cmpl-") + reply.id;
}

/// The members that each chunk and each body begins with.
std::string common_json(const Reply& reply, std::string_view object) {
  return fmt::format(
      R"("id":"{}","object":"{}","created":{},"model":"{}","system_fingerprint":"mock",)",
      reply_id(reply), object, reply.created_s, json_escaped(reply.call.model));
}

/// Builds the chunks of one stream.
class ChunkWriter {
 public:
  ChunkWriter(const Reply& reply, StreamPlan& plan) : reply_(reply), plan_(plan) {
    const Behaviour& b = reply.behaviour;
    data_ = b.space_after_colon ? "data: " : "data:";
    end_ = std::string(b.line_end) + std::string(b.line_end);
    common_ = common_json(reply, is_chat(reply) ? "chat.completion.chunk" : "text_completion");
    tail_ =
        reply.options.flavor == Flavor::kOpenAi && reply.call.include_usage && gives_usage(reply)
            ? R"(,"usage":null})"
            : "}";
  }

  /// A chunk whose choices are `before` + the event's text + `after`. Where choices are to be
  /// empty, the text is left out as well.
  uint32_t choice_shape(std::string_view before, std::string_view after,
                        std::string_view finish = {}) {
    if (reply_.behaviour.empty_choices) return shape("[", "]");
    std::string reason = "null";
    if (!finish.empty()) reason = "\"" + std::string(finish) + "\"";
    return shape(std::string(R"([{"index":0,)") + std::string(before),
                 fmt::format(R"({},"logprobs":null,"finish_reason":{}}}])", after, reason));
  }

  /// `members` follows `choices`, each member with a comma in front.
  uint32_t shape(std::string_view choices_before, std::string_view choices_after,
                 std::string_view members = {}) {
    EventShape made;
    if (reply_.behaviour.comments) made.before = ": comment" + end_;
    made.before += data_ + "{";
    if (reply_.call.stamped) {
      made.before += R"("assay_due_ns":)";
      made.due_at = made.before.size();
      made.before.append(EventShape::kStampWidth, ' ');
      made.before += R"(,"assay_sent_ns":)";
      made.sent_at = made.before.size();
      made.before.append(EventShape::kStampWidth, ' ');
      made.before += ",";
    }
    made.before += common_;
    if (reply_.behaviour.split_data_lines) {
      made.before += std::string(reply_.behaviour.line_end) + data_;
    }
    made.before += R"("choices":)" + std::string(choices_before);
    made.after = std::string(choices_after) + std::string(members);
    made.after += members.find(R"("usage")") == std::string_view::npos ? tail_ : "}";
    made.after += end_;
    return add_shape(plan_, std::move(made));
  }

  uint32_t plain_shape(std::string_view data) {
    EventShape made;
    made.before = data_ + std::string(data) + end_;
    return add_shape(plan_, std::move(made));
  }

  /// A whole event outside the chunk form.
  [[nodiscard]] std::string event(std::string_view data) const {
    return data_ + std::string(data) + end_;
  }

  uint32_t token_shape(Channel channel, bool with_role) {
    const auto key = std::pair(channel, with_role);
    const auto found = token_shapes_.find(key);
    if (found != token_shapes_.end()) return found->second;
    return token_shapes_[key] = make_token_shape(channel, with_role);
  }

 private:
  uint32_t make_token_shape(Channel channel, bool with_role) {
    if (!is_chat(reply_)) return choice_shape(R"("text":")", "\"");
    const std::string delta = with_role ? R"("delta":{"role":"assistant",)" : R"("delta":{)";
    switch (channel) {
      case Channel::kReasoning:
        return choice_shape(delta + R"("reasoning_content":")", R"("})");
      case Channel::kToolName:
        return choice_shape(delta + R"("tool_calls":[{"index":0,"id":"call_)" + reply_.id +
                                R"(","type":"function","function":{"name":")",
                            R"(","arguments":""}}]})");
      case Channel::kToolArguments:
        return choice_shape(delta + R"("tool_calls":[{"index":0,"function":{"arguments":")",
                            R"("}}]})");
      case Channel::kContent:
        break;
    }
    return choice_shape(delta + R"("content":")", R"("})");
  }

  const Reply& reply_;
  StreamPlan& plan_;
  std::string data_, end_, common_, tail_;
  std::map<std::pair<Channel, bool>, uint32_t> token_shapes_;
};

void add_opening(StreamPlan& plan, const Reply& reply, ChunkWriter& writer, RoleMode role) {
  const Behaviour& behaviour = reply.behaviour;
  const MonoNs at = reply.schedule.start;
  if (behaviour.usage_chunk_first) {
    add_event(plan, at, writer.shape("[", "]", account_json(reply, true)));
  }
  if (!is_chat(reply)) return;
  const bool null_content = behaviour.null_first || reply.options.flavor == Flavor::kLlamaCpp ||
                            reply.options.flavor == Flavor::kRouter;
  if (role != RoleMode::kEarly && !behaviour.null_first) return;
  const std::string_view said = role == RoleMode::kNone ? "" : R"("role":"assistant",)";
  add_event(plan, at,
            writer.choice_shape(fmt::format(R"("delta":{{{}"content":)", said),
                                null_content ? "null}" : "\"\"}"));
}

void add_closing(StreamPlan& plan, const Reply& reply, ChunkWriter& writer) {
  const Behaviour& behaviour = reply.behaviour;
  const MonoNs at = reply.schedule.last;
  const bool usage_chunk = reply.call.include_usage || behaviour.usage_chunk_first;
  const size_t before = plan.events.size();
  if (behaviour.finish && !behaviour.empty_choices) {
    const auto empty = is_chat(reply) ? R"("delta":{})" : R"("text":"")";
    const std::string members = usage_chunk ? std::string() : account_json(reply, false);
    add_event(plan, at,
              writer.shape(fmt::format(R"([{{"index":0,{},"logprobs":null,"finish_reason":"{}"}}])",
                                       empty, reply.answer.finish_reason),
                           "", members));
  }
  if (usage_chunk && gives_usage(reply)) {
    add_event(plan, at, writer.shape("[", "]", account_json(reply, true)));
  }
  if (behaviour.done) add_event(plan, at, writer.plain_shape("[DONE]"));
  for (size_t i = before; i + 1 < plan.events.size(); ++i) plan.events[i].with_next = true;
}

}  // namespace

StreamPlan openai_stream(const Reply& reply) {
  StreamPlan plan;
  ChunkWriter writer(reply, plan);
  const RoleMode role = reply.behaviour.role.value_or(reply.options.role);
  add_opening(plan, reply, writer, role);
  add_token_events(plan, reply, [&](Channel channel, bool first) {
    return writer.token_shape(channel, first && role == RoleMode::kWithFirst);
  });
  if (reply.behaviour.empty_choices) {
    for (PlannedEvent& event : plan.events) event.text_size = 0;
  }
  add_closing(plan, reply, writer);
  StreamParts parts;
  parts.content_type = "text/event-stream";
  parts.broken_event = writer.event(R"({"choices":[{"index":0,"delta":{"content":"bro)");
  parts.error_event = writer.event(
      reply.behaviour.error_event == Behaviour::ErrorEvent::kText
          ? fmt::format(R"({{"error":"{}"}})", kErrorText)
          : fmt::format(R"({{"error":{{"message":"{}","type":"server_error","code":500}}}})",
                        kErrorText));
  complete_stream(plan, reply, parts);
  return plan;
}

EventShape openai_body(const Reply& reply) {
  EventShape shape;
  const Behaviour& behaviour = reply.behaviour;
  if (behaviour.error_event != Behaviour::ErrorEvent::kNone) {
    shape.before = openai_error(Flavor::kOpenAi, 500, kErrorText);
    return shape;
  }
  const std::string content = json_escaped(reply.answer.text(Channel::kContent));
  std::string choice;
  if (is_chat(reply)) {
    choice = fmt::format(R"("message":{{"role":"assistant","content":"{}")", content);
    const std::string reasoning = reply.answer.text(Channel::kReasoning);
    if (!reasoning.empty()) {
      choice += fmt::format(R"(,"reasoning_content":"{}")", json_escaped(reasoning));
    }
    const std::string tool = reply.answer.text(Channel::kToolName);
    if (!tool.empty()) {
      choice += fmt::format(
          R"(,"tool_calls":[{{"id":"call_{}","type":"function","function":{{"name":"{}",)"
          R"("arguments":"{}"}}}}])",
          reply.id, json_escaped(tool), json_escaped(reply.answer.text(Channel::kToolArguments)));
    }
    choice += "}";
  } else {
    choice = fmt::format(R"("text":"{}")", content);
  }
  const std::string finish =
      behaviour.finish ? "\"" + reply.answer.finish_reason + "\"" : std::string("null");
  std::string& body = shape.before;
  body = "{" + common_json(reply, is_chat(reply) ? "chat.completion" : "text_completion");
  body += behaviour.empty_choices
              ? R"("choices":[])"
              : fmt::format(R"("choices":[{{"index":0,{},"logprobs":null,"finish_reason":{}}}])",
                            choice, finish);
  body += account_json(reply, true) + "}";
  if (behaviour.bad_json) body.resize(body.size() - 1);
  return shape;
}

std::string openai_error(Flavor flavor, int status, std::string_view message) {
  const std::string text = json_escaped(message);
  const std::string_view type = status == 401   ? "authentication_error"
                                : status == 404 ? "not_found_error"
                                : status == 429 ? "rate_limit_error"
                                : status == 503 ? "unavailable_error"
                                : status >= 500 ? "server_error"
                                                : "invalid_request_error";
  if (is_llama(flavor)) {
    return fmt::format(R"({{"error":{{"code":{},"message":"{}","type":"{}"}}}})", status, text,
                       type);
  }
  return fmt::format(R"({{"error":{{"message":"{}","type":"{}","param":null,"code":null}}}})", text,
                     type);
}

std::string context_error(Flavor flavor, int64_t prompt_tokens, int64_t ctx) {
  if (is_llama(flavor)) {
    return fmt::format(
        R"({{"error":{{"code":400,"message":"request ({0} tokens) exceeds the available context )"
        R"(size ({1} tokens), try increasing it","type":"exceed_context_size_error",)"
        R"("n_prompt_tokens":{0},"n_ctx":{1}}}}})",
        prompt_tokens, ctx);
  }
  return fmt::format(
      R"({{"error":{{"message":"This model's maximum context length is {} tokens, the messages )"
      R"(have {}.","type":"invalid_request_error","param":"messages",)"
      R"("code":"context_length_exceeded"}}}})",
      ctx, prompt_tokens);
}

}  // namespace assay
