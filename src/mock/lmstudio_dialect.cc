#include "mock/lmstudio_dialect.h"

#include <fmt/format.h>

namespace assay {

namespace {

using Channel = AnswerToken::Channel;

constexpr std::string_view kErrorText = "the model failed while it was answering";

double seconds(int64_t ns) { return static_cast<double>(ns) / 1e9; }

/// Tokens after the first over the time from the first to the last; 0 for an answer of one.
double tokens_per_second(const Reply& reply) {
  const int64_t span = reply.schedule.last - reply.schedule.first;
  const auto tokens = static_cast<double>(reply.completion_tokens());
  return span > 0 ? tokens / seconds(span) : 0.0;
}

std::string quoted_model(const Reply& reply) {
  return "\"" + json_escaped(reply.call.model) + "\"";
}

/// `event: TYPE` and the JSON behind it; `members` come after the type.
class EventWriter {
 public:
  EventWriter(const Reply& reply, StreamPlan& plan) : reply_(reply), plan_(plan) {
    const Behaviour& b = reply.behaviour;
    line_ = std::string(b.line_end);
    data_ = b.space_after_colon ? "data: " : "data:";
  }

  uint32_t shape(std::string_view type, std::string_view before, std::string_view after) {
    EventShape made;
    if (reply_.behaviour.comments) made.before = ": comment" + line_ + line_;
    made.before += "event: " + std::string(type) + line_ + data_ + "{";
    if (reply_.call.stamped) {
      made.before += R"("assay_due_ns":)";
      made.due_at = made.before.size();
      made.before.append(EventShape::kStampWidth, ' ');
      made.before += R"(,"assay_sent_ns":)";
      made.sent_at = made.before.size();
      made.before.append(EventShape::kStampWidth, ' ');
      made.before += ",";
    }
    made.before += R"("type":")" + std::string(type) + "\"" + std::string(before);
    made.after = std::string(after) + "}" + line_ + line_;
    return add_shape(plan_, std::move(made));
  }

  void add(MonoNs at, std::string_view type, std::string_view members = {}) {
    add_event(plan_, at, shape(type, members, {}));
  }

  /// A whole event outside the plan.
  [[nodiscard]] std::string event(std::string_view type, std::string_view json) const {
    return "event: " + std::string(type) + line_ + data_ + std::string(json) + line_ + line_;
  }

 private:
  const Reply& reply_;
  StreamPlan& plan_;
  std::string line_, data_;
};

void add_opening(const Reply& reply, EventWriter& writer) {
  const Schedule& schedule = reply.schedule;
  const std::string instance = R"(,"model_instance_id":)" + quoted_model(reply);
  writer.add(schedule.start, "chat.start", instance);
  const MonoNs loaded = schedule.start + schedule.load.count();
  if (schedule.load > Nanos(0)) {
    writer.add(schedule.start, "model_load.start", instance);
    writer.add(schedule.start + schedule.load.count() / 2, "model_load.progress",
               instance + R"(,"progress":0.5)");
    writer.add(
        loaded, "model_load.end",
        instance + fmt::format(R"(,"load_time_seconds":{})", seconds(schedule.load.count())));
  }
  writer.add(loaded, "prompt_processing.start");
  writer.add(loaded + schedule.prefill.count() / 2, "prompt_processing.progress",
             R"(,"progress":0.5)");
  writer.add(schedule.first, "prompt_processing.end");
}

std::string stats_json(const Reply& reply) {
  if (!reply.options.usage || !reply.behaviour.usage) return "{}";
  if (reply.behaviour.absurd_usage) {
    return R"({"input_tokens":-5,"total_output_tokens":1e99,"reasoning_output_tokens":0})";
  }
  const Schedule& schedule = reply.schedule;
  std::string text =
      fmt::format(R"({{"input_tokens":{},"total_output_tokens":{},"reasoning_output_tokens":{},)"
                  R"("tokens_per_second":{},"time_to_first_token_seconds":{})",
                  reply.prompt_tokens, reply.completion_tokens(), reply.answer.reasoning_tokens,
                  tokens_per_second(reply), seconds(schedule.prefill.count()));
  if (schedule.load > Nanos(0)) {
    text += fmt::format(R"(,"model_load_time_seconds":{})", seconds(schedule.load.count()));
  }
  return text + "}";
}

std::string result_json(const Reply& reply) {
  std::string output;
  const std::string reasoning = reply.answer.text(Channel::kReasoning);
  if (!reasoning.empty()) {
    output = fmt::format(R"({{"type":"reasoning","content":"{}"}},)", json_escaped(reasoning));
  }
  output += fmt::format(R"({{"type":"message","content":"{}"}})",
                        json_escaped(reply.answer.text(Channel::kContent)));
  return fmt::format(R"({{"model_instance_id":{},"output":[{}],"stats":{}}})", quoted_model(reply),
                     output, stats_json(reply));
}

}  // namespace

StreamPlan lm_studio_stream(const Reply& reply) {
  StreamPlan plan;
  EventWriter writer(reply, plan);
  add_opening(reply, writer);
  const uint32_t content = writer.shape("message.delta", R"(,"content":")", "\"");
  const uint32_t reasoning = writer.shape("reasoning.delta", R"(,"content":")", "\"");
  add_token_events(plan, reply, [&](Channel channel, bool) {
    return channel == Channel::kReasoning ? reasoning : content;
  });
  if (reply.behaviour.done && reply.behaviour.finish) {
    writer.add(reply.schedule.last, "message.end");
    writer.add(reply.schedule.last, "chat.end", R"(,"result":)" + result_json(reply));
  }
  StreamParts parts;
  parts.content_type = "text/event-stream";
  parts.broken_event = writer.event("message.delta", R"({"type":"message.delta","content":"bro)");
  parts.error_event = writer.event(
      "error",
      fmt::format(R"({{"type":"error","error":{{"type":"internal_error","message":"{}"}}}})",
                  kErrorText));
  complete_stream(plan, reply, parts);
  return plan;
}

EventShape lm_studio_body(const Reply& reply) {
  EventShape body;
  body.before = reply.behaviour.error_event == Behaviour::ErrorEvent::kNone
                    ? result_json(reply)
                    : lm_studio_error(500, kErrorText);
  if (reply.behaviour.bad_json) body.before.resize(body.before.size() - 1);
  return body;
}

std::string lm_studio_older_stats(const Reply& reply) {
  const Schedule& schedule = reply.schedule;
  return fmt::format(
      R"("stats":{{"tokens_per_second":{},"time_to_first_token":{},"generation_time":{},)"
      R"("stop_reason":"{}"}})",
      tokens_per_second(reply), seconds(schedule.prefill.count()),
      seconds(schedule.last - schedule.first),
      reply.answer.finish_reason == "length" ? "maxPredictedTokensReached" : "eosFound");
}

std::string lm_studio_error(int status, std::string_view message, std::string_view param) {
  const std::string_view type = status == 404   ? "model_not_found"
                                : status >= 500 ? "internal_error"
                                                : "invalid_request";
  std::string text =
      fmt::format(R"({{"error":{{"type":"{}","message":"{}")", type, json_escaped(message));
  if (!param.empty()) text += fmt::format(R"(,"param":"{}")", json_escaped(param));
  return text + "}}";
}

}  // namespace assay
