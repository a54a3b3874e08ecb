#include "engines/openai.h"

#include <fmt/format.h>

#include <nlohmann/json.hpp>

#include "base/text.h"
#include "engines/json_fields.h"
#include "engines/openai_events.h"
#include "engines/prometheus.h"

namespace assay {

bool OpenAiEngine::decode(std::string_view payload, Delta& delta, size_t& error_at) {
  delta = Delta();
  if (trim(payload) == "[DONE]") {
    delta.done = true;
    return true;
  }
  return json_reader::each_top_member(
      payload, error_at,
      [&](simdjson::ondemand::raw_json_string key, simdjson::ondemand::value value) {
        return read_openai_member(key, value, delta);
      });
}

nlohmann::ordered_json chat_messages(const CallRequest& request) {
  auto messages = nlohmann::ordered_json::array();
  for (const ChatMessage& message : request.earlier) {
    messages.push_back({{"role", message.role}, {"content", message.content}});
  }
  messages.push_back({{"role", "user"}, {"content", request.prompt}});
  return messages;
}

void add_tools(const CallRequest& request, nlohmann::ordered_json& body) {
  if (request.tools.empty()) return;
  body["tools"] = nlohmann::ordered_json::parse(request.tools, nullptr, false);
}

HttpRequest post_chat(std::string target, const nlohmann::ordered_json& body) {
  HttpRequest http;
  http.method = "POST";
  http.target = std::move(target);
  http.accept = "text/event-stream";
  http.body = body.dump(-1, ' ', false, nlohmann::ordered_json::error_handler_t::replace);
  return http;
}

nlohmann::ordered_json OpenAiEngine::chat_body(const CallRequest& request) const {
  const CallSettings& s = request.settings;
  nlohmann::ordered_json body{
      {"model", request.model}, {"messages", chat_messages(request)}, {"stream", true}};
  if (accepts.stream_options) body["stream_options"] = {{"include_usage", true}};
  if (s.max_tokens) body["max_tokens"] = *s.max_tokens;
  if (s.fixed_length && s.max_tokens) {
    if (accepts.ignore_eos) body["ignore_eos"] = true;
    if (accepts.min_tokens) body["min_tokens"] = *s.max_tokens;
  }
  if (s.temperature) body["temperature"] = *s.temperature;
  if (s.top_p) body["top_p"] = *s.top_p;
  if (s.top_k) body["top_k"] = *s.top_k;
  if (s.seed) body["seed"] = *s.seed;
  if (s.think && think_kind(*s.think) == Think::kEffort) body["reasoning_effort"] = *s.think;
  add_tools(request, body);
  if (request.tags && accepts.metadata) body["metadata"] = tag_metadata(*request.tags);
  if (request.tags && accepts.labels) body["labels"] = {{"test", true}};
  return body;
}

Think think_kind(std::string_view think) {
  if (think == "off" || think == "on") return Think::kSwitch;
  return !think.empty() && think.front() >= '0' && think.front() <= '9' ? Think::kTokens
                                                                        : Think::kEffort;
}

SettingsFit OpenAiEngine::fit(const CallSettings& settings) const {
  SettingsFit fit = Engine::fit(settings);
  if (settings.think && think_kind(*settings.think) == Think::kEffort) {
    std::erase(fit.missing, "think");
  }
  return fit;
}

HttpRequest OpenAiEngine::chat_request(const CallRequest& request) const {
  return post_chat("/v1/chat/completions", chat_body(request));
}

namespace {

using Json = nlohmann::json;

/// The objects under `data`; nothing when the text is no such list.
std::optional<std::vector<Json>> list_items(const std::string& text) {
  const Json json = Json::parse(text, nullptr, false);
  if (!json.is_object() || !json.contains("data") || !json["data"].is_array()) return std::nullopt;
  std::vector<Json> items;
  for (const Json& item : json["data"]) {
    if (item.is_object() && item.contains("id") && item["id"].is_string()) items.push_back(item);
  }
  return items;
}

ModelInfo described(const Json& item) {
  ModelInfo info;
  info.name = item["id"].get<std::string>();
  const std::string lower = to_lower(info.name);
  // LM Studio says what a model is for; elsewhere the name has to do.
  info.is_embedding =
      text_at(item, "type") == "embeddings" || lower.find("embed") != std::string::npos;
  info.is_projector = lower.find("mmproj") != std::string::npos;
  info.loaded = text_at(item, "state") == "loaded";
  info.quantization = text_at(item, "quantization");
  if (item.contains("meta") && item["meta"].is_object()) {
    const Json& meta = item["meta"];  // llama-server behind a gateway.
    info.bytes = integer_at(meta, "size");
    info.parameters = integer_at(meta, "n_params");
    info.max_context = integer_at(meta, "n_ctx_train");
  }
  info.context_length = integer_at(item, "max_model_len");  // vLLM
  if (info.context_length) info.max_context = info.context_length;
  // LM Studio's list of its older API.
  info.architecture = text_at(item, "arch");
  if (const auto most = integer_at(item, "max_context_length")) info.max_context = most;
  info.tools = holds_at(item, "capabilities", "tool_use");
  const bool sees = text_at(item, "type") == "vlm";
  if (sees || info.tools) info.vision = sees || *holds_at(item, "capabilities", "vision");
  if (info.loaded) info.context_length = integer_at(item, "loaded_context_length");
  return info;
}

}  // namespace

Task<Result<EngineInfo>> OpenAiEngine::probe(Nanos timeout) {
  const auto listed = co_await models(timeout);
  if (!listed) co_return fail(listed.error());
  co_return EngineInfo();
}

Task<Result<std::vector<ModelInfo>>> OpenAiEngine::models(Nanos timeout) {
  co_return co_await list_models("/v1/models", timeout);
}

Task<Result<std::vector<ModelInfo>>> OpenAiEngine::list_models(std::string target, Nanos timeout) {
  HttpRequest request;
  request.target = std::move(target);
  const auto text = co_await fetch_json(request, timeout);
  if (!text) co_return fail(text.error());
  const auto items = list_items(*text);
  if (!items) {
    co_return fail(Errc::kProtocol,
                   fmt::format("{}{} is no model list", url().text(), request.target));
  }
  std::vector<ModelInfo> models;
  for (const Json& item : *items) models.push_back(described(item));
  co_return models;
}

Task<Result<std::string>> OpenAiEngine::make_cold(std::string) {
  co_return std::string("process_warm");
}

Task<Result<ServerCounters>> OpenAiEngine::counters(std::string, Nanos timeout) {
  co_return co_await read_metrics("/metrics", timeout);
}

Task<Result<ServerCounters>> OpenAiEngine::read_metrics(std::string target, Nanos timeout) {
  HttpRequest request;
  request.target = std::move(target);
  const auto text = co_await fetch_json(request, timeout);
  if (!text) co_return fail(text.error());
  // The first name that the text has: versions and engines differ.
  const auto counter = [&](std::initializer_list<std::string_view> names) {
    std::optional<int64_t> found;
    for (const std::string_view name : names) {
      const auto sum = found ? std::nullopt : metric_sum(*text, name);
      if (sum) found = static_cast<int64_t>(*sum);
    }
    return found;
  };
  ServerCounters counters;
  counters.prompt_tokens = counter({"llamacpp:prompt_tokens_total", "vllm:prompt_tokens_total"});
  counters.output_tokens =
      counter({"llamacpp:tokens_predicted_total", "vllm:generation_tokens_total"});
  counters.prefix_queries = counter({"vllm:prefix_cache_queries_total", "vllm:prefix_cache_queries",
                                     "vllm:gpu_prefix_cache_queries_total"});
  counters.prefix_hits = counter({"vllm:prefix_cache_hits_total", "vllm:prefix_cache_hits",
                                  "vllm:gpu_prefix_cache_hits_total"});
  // llama-server tells what it processed and what it reused.
  const auto reused = metric_sum(*text, "llamacpp:prompt_tokens_cached_total");
  if (reused && counters.prompt_tokens) {
    counters.prefix_hits = static_cast<int64_t>(*reused);
    counters.prefix_queries = *counters.prompt_tokens + *counters.prefix_hits;
  }
  if (!counters.output_tokens) co_return fail(Errc::kNotFound, "no known counter in /metrics");
  co_return counters;
}

Task<Result<int64_t>> OpenAiEngine::count_tokens(std::string, std::string) {
  co_return fail(Errc::kNotFound, "this engine has no tokenizer endpoint");
}

}  // namespace assay
