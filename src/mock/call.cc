#include "mock/call.h"

#include <nlohmann/json.hpp>

namespace assay {

namespace {

using Json = nlohmann::json;

constexpr int64_t kMostTokens = 10'000'000;

const Json& member(const Json& object, const char* name) {
  static const Json kNull;
  if (!object.is_object()) return kNull;
  const auto found = object.find(name);
  return found == object.end() ? kNull : *found;
}

bool is_true(const Json& value) { return value.is_boolean() && value.get<bool>(); }
bool is_false(const Json& value) { return value.is_boolean() && !value.get<bool>(); }

/// Absent for null and for the negative numbers that mean "no limit".
std::optional<int64_t> count_of(const Json& value) {
  if (!value.is_number()) return std::nullopt;
  const double number = value.get<double>();
  if (!(number >= 0)) return std::nullopt;
  return number > static_cast<double>(kMostTokens) ? kMostTokens : static_cast<int64_t>(number);
}

/// A text, or the text parts of a list of parts.
std::string content_text(const Json& content) {
  if (content.is_string()) return content.get<std::string>();
  std::string text;
  if (content.is_array()) {
    for (const Json& part : content) {
      const Json& part_text = part.is_string() ? part : member(part, "text");
      if (part_text.is_string()) text += part_text.get<std::string>();
    }
  }
  return text;
}

void read_messages(const Json& messages, Call& call) {
  for (const Json& message : messages) {
    const std::string text = content_text(member(message, "content"));
    if (!call.prompt.empty()) call.prompt += '\n';
    call.prompt += text;
    const Json& role = member(message, "role");
    if (role.is_string() && role.get<std::string>() == "user") call.last_user = text;
  }
}

/// 0, "0", "0s", "0m" and the like.
bool is_zero_duration(const Json& value) {
  if (value.is_number()) return value.get<double>() == 0;
  if (!value.is_string()) return false;
  const auto text = value.get<std::string>();
  return !text.empty() && text.find_first_not_of("0.smhu") == std::string::npos &&
         text.find('0') != std::string::npos;
}

void read_openai(const Json& body, Call& call) {
  call.stream = is_true(member(body, "stream"));
  const Json& stream_options = member(body, "stream_options");
  call.has_stream_options = !stream_options.is_null();
  call.include_usage = is_true(member(stream_options, "include_usage"));
  for (const char* name : {"max_tokens", "max_completion_tokens", "n_predict"}) {
    if (!call.max_tokens) call.max_tokens = count_of(member(body, name));
  }
  call.min_tokens = count_of(member(body, "min_tokens"));
  call.exact_length = is_true(member(body, "ignore_eos"));
  const Json& effort = member(body, "reasoning_effort");
  call.think = !is_false(member(member(body, "chat_template_kwargs"), "enable_thinking")) &&
               !(effort.is_string() && effort.get<std::string>() == "none");
}

void read_ollama(const Json& body, Call& call) {
  call.stream = !is_false(member(body, "stream"));
  const Json& options = member(body, "options");
  call.max_tokens = count_of(member(options, "num_predict"));
  call.exact_length = is_true(member(options, "ignore_eos"));
  call.min_tokens = count_of(member(options, "min_tokens"));
  call.num_ctx = count_of(member(options, "num_ctx"));
  call.num_gpu = count_of(member(options, "num_gpu"));
  call.think = !is_false(member(body, "think"));
  call.unload = is_zero_duration(member(body, "keep_alive"));
}

void read_lm_studio(const Json& body, Call& call) {
  call.stream = is_true(member(body, "stream"));
  call.prompt = content_text(member(body, "system_prompt"));
  if (!call.prompt.empty()) call.prompt += '\n';
  call.last_user = content_text(member(body, "input"));
  call.prompt += call.last_user;
  call.empty = call.last_user.empty();
  call.max_tokens = count_of(member(body, "max_output_tokens"));
  call.num_ctx = count_of(member(body, "context_length"));
  const Json& reasoning = member(body, "reasoning");
  call.think = !(reasoning.is_string() && reasoning.get<std::string>() == "off");
}

}  // namespace

Result<Call> parse_call(Api api, const ServedRequest& request) {
  const Json body = Json::parse(request.body, nullptr, false);
  if (!body.is_object()) return fail(Errc::kInvalidArgument, "the body is not a JSON object");
  Call call;
  call.api = api;
  call.received = request.received;
  call.stamped = request.header("X-Assay-Stamp") == "1";
  const Json& model = member(body, "model");
  if (model.is_string()) call.model = model.get<std::string>();
  if (api == Api::kLmStudioChat) {
    if (call.model.empty()) return fail(Errc::kInvalidArgument, "\"model\" is required");
    read_lm_studio(body, call);
    return call;
  }
  if (api == Api::kOpenAiChat || api == Api::kLmStudioOlderChat || api == Api::kOllamaChat) {
    const Json& messages = member(body, "messages");
    if (!messages.is_array() && !(messages.is_null() && api == Api::kOllamaChat)) {
      return fail(Errc::kInvalidArgument, "`messages` must be a list");
    }
    read_messages(messages, call);
    call.empty = messages.empty();
  } else {
    const Json& prompt = member(body, "prompt");
    const std::string text = content_text(prompt);
    call.prompt = content_text(member(body, "system"));
    if (!call.prompt.empty()) call.prompt += '\n';
    call.prompt += text;
    call.last_user = text;
    call.empty = text.empty();
  }
  if (is_ollama(api)) {
    if (call.model.empty()) return fail(Errc::kInvalidArgument, "model is required");
    read_ollama(body, call);
  } else {
    read_openai(body, call);
  }
  if (call.max_tokens && call.min_tokens && *call.min_tokens >= *call.max_tokens) {
    call.exact_length = true;
  }
  const Json& tools = member(body, "tools");
  if (tools.is_array() && !tools.empty()) {
    const Json& name = member(member(tools[0], "function"), "name");
    if (name.is_string()) call.tool = name.get<std::string>();
  }
  return call;
}

}  // namespace assay
