#include "engines/openai.h"

#include <fmt/format.h>

#include <nlohmann/json.hpp>

#include "base/text.h"
#include "engines/json_reader.h"
#include "engines/prometheus.h"

namespace assay {
namespace {

namespace od = simdjson::ondemand;
using json_reader::amount;
using json_reader::count;
using json_reader::each_member;
using json_reader::is;
using json_reader::is_null;
using json_reader::text_or_empty;

/// Tool-call deltas: a name once, then pieces of the arguments.
void read_tool_calls(od::value value, Delta& delta) {
  od::array calls;
  if (is_null(value) || value.get_array().get(calls)) return;
  for (auto call : calls) {
    od::value item;
    if (call.get(item)) return;
    each_member(item, [&](od::raw_json_string key, od::value inner) {
      if (!is(key, "function")) return true;
      return each_member(inner, [&](od::raw_json_string name, od::value v) {
        if (is(name, "name")) delta.tool_name = text_or_empty(v);
        if (is(name, "arguments")) delta.tool_args = text_or_empty(v);
        return true;
      });
    });
  }
}

/// The `delta` of a chunk, or the `message` of an unstreamed answer.
bool read_message(od::value value, Delta& delta) {
  if (is_null(value)) return true;
  return each_member(value, [&](od::raw_json_string key, od::value v) {
    if (is(key, "content")) {
      delta.text = text_or_empty(v);
    } else if (is(key, "reasoning_content") || is(key, "reasoning") || is(key, "thinking")) {
      // Some servers send the same reasoning under two names: the first that has text counts.
      const std::string_view text = text_or_empty(v);
      if (delta.reasoning.empty()) delta.reasoning = text;
    } else if (is(key, "refusal")) {
      delta.refusal = text_or_empty(v);
    } else if (is(key, "tool_calls")) {
      read_tool_calls(v, delta);
    }
    return true;
  });
}

bool read_choices(od::value value, Delta& delta) {
  od::array choices;
  if (is_null(value)) return true;
  if (value.get_array().get(choices)) return false;
  for (auto choice : choices) {
    od::value item;
    if (choice.get(item)) return false;
    if (delta.has_choice) continue;  // Further choices are not asked for.
    delta.has_choice = true;
    const bool fine = each_member(item, [&](od::raw_json_string key, od::value v) {
      if (is(key, "delta") || is(key, "message")) return read_message(v, delta);
      if (is(key, "text")) delta.text = text_or_empty(v);
      if (is(key, "finish_reason")) delta.finish_reason = text_or_empty(v);
      return true;
    });
    if (!fine) return false;
  }
  return true;
}

bool read_usage(od::value value, Delta& delta) {
  if (is_null(value)) return true;
  return each_member(value, [&](od::raw_json_string key, od::value v) {
    if (is(key, "prompt_tokens")) {
      delta.prompt_tokens = count(v, delta.bad_usage);
    } else if (is(key, "completion_tokens")) {
      delta.output_tokens = count(v, delta.bad_usage);
    } else if (is(key, "prompt_tokens_details") && !is_null(v)) {
      each_member(v, [&](od::raw_json_string name, od::value inner) {
        if (is(name, "cached_tokens")) delta.cached_tokens = count(inner, delta.bad_usage);
        return true;
      });
    } else if (is(key, "completion_tokens_details") && !is_null(v)) {
      each_member(v, [&](od::raw_json_string name, od::value inner) {
        if (is(name, "reasoning_tokens")) delta.reasoning_tokens = count(inner, delta.bad_usage);
        return true;
      });
    }
    return true;
  });
}

/// llama-server's own figures; other servers do not send them.
bool read_timings(od::value value, Delta& delta) {
  if (is_null(value)) return true;
  return each_member(value, [&](od::raw_json_string key, od::value v) {
    if (is(key, "cache_n")) delta.cached_tokens = count(v, delta.bad_usage);
    if (is(key, "prompt_n")) delta.engine.prompt_tokens = count(v, delta.bad_usage);
    if (is(key, "prompt_ms")) delta.engine.prefill_ms = amount(v);
    if (is(key, "predicted_n")) delta.engine.output_tokens = count(v, delta.bad_usage);
    if (is(key, "predicted_ms")) delta.engine.decode_ms = amount(v);
    return true;
  });
}

/// `{"message": …}`, or just a string.
void read_error(od::value value, Delta& delta) {
  if (is_null(value)) return;
  delta.has_error = true;
  od::json_type type{};
  if (!value.type().get(type) && type == od::json_type::string) {
    delta.error = text_or_empty(value);
    return;
  }
  each_member(value, [&](od::raw_json_string key, od::value v) {
    if (is(key, "message")) delta.error = text_or_empty(v);
    return true;
  });
}

}  // namespace

bool OpenAiEngine::decode(std::string_view payload, Delta& delta, size_t& error_at) {
  delta = Delta();
  if (trim(payload) == "[DONE]") {
    delta.done = true;
    return true;
  }
  return json_reader::each_top_member(payload, error_at,
                                      [&](od::raw_json_string key, od::value value) {
                                        if (is(key, "choices")) return read_choices(value, delta);
                                        if (is(key, "usage")) return read_usage(value, delta);
                                        if (is(key, "timings")) return read_timings(value, delta);
                                        if (is(key, "error")) read_error(value, delta);
                                        return true;
                                      });
}

HttpRequest OpenAiEngine::chat_request(const CallRequest& request) const {
  const CallSettings& s = request.settings;
  nlohmann::ordered_json body{{"model", request.model},
                              {"messages", {{{"role", "user"}, {"content", request.prompt}}}},
                              {"stream", true}};
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
  if (request.tags && accepts.metadata) body["metadata"] = tag_metadata(*request.tags);
  if (request.tags && accepts.labels) body["labels"] = {{"test", true}};
  HttpRequest http;
  http.method = "POST";
  http.target = "/v1/chat/completions";
  http.accept = "text/event-stream";
  http.body = body.dump(-1, ' ', false, nlohmann::ordered_json::error_handler_t::replace);
  return http;
}

namespace {

using Json = nlohmann::json;

std::optional<int64_t> integer(const Json& item, const char* key) {
  if (!item.contains(key) || !item[key].is_number_integer()) return std::nullopt;
  return item[key].get<int64_t>();
}

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

ModelInfo describe(const Json& item) {
  ModelInfo info;
  info.name = item["id"].get<std::string>();
  const std::string lower = to_lower(info.name);
  // LM Studio says what a model is for; elsewhere the name has to do.
  info.is_embedding =
      item.value("type", "") == "embeddings" || lower.find("embed") != std::string::npos;
  info.is_projector = lower.find("mmproj") != std::string::npos;
  info.loaded = item.value("state", "") == "loaded";
  info.quantization = item.value("quantization", "");
  if (item.contains("meta") && item["meta"].is_object()) {
    info.bytes = integer(item["meta"], "size");  // llama-server
  }
  info.context_length = integer(item, "max_model_len");  // vLLM
  if (info.loaded) info.context_length = integer(item, "loaded_context_length");
  return info;
}

/// LM Studio's own list tells the state of each model.
bool is_lm_studio_list(const std::vector<Json>& items) {
  return !items.empty() && items.front().contains("state");
}

}  // namespace

Task<Result<EngineInfo>> OpenAiEngine::probe(Nanos timeout) {
  const auto listed = co_await models(timeout);
  if (!listed) co_return fail(listed.error());
  EngineInfo info;
  HttpRequest request;
  request.target = "/api/v0/models";
  const auto text = co_await fetch_json(request, timeout);
  if (text) {
    const auto items = list_items(*text);
    is_lm_studio_ = items && is_lm_studio_list(*items);
  }
  if (is_lm_studio_) info.version = "LM Studio";
  co_return info;
}

Task<Result<std::vector<ModelInfo>>> OpenAiEngine::models(Nanos timeout) {
  HttpRequest request;
  request.target = is_lm_studio_ ? "/api/v0/models" : "/v1/models";
  const auto text = co_await fetch_json(request, timeout);
  if (!text) co_return fail(text.error());
  const auto items = list_items(*text);
  if (!items) {
    co_return fail(Errc::kProtocol,
                   fmt::format("{}{} is no model list", url().text(), request.target));
  }
  std::vector<ModelInfo> models;
  for (const Json& item : *items) models.push_back(describe(item));
  co_return models;
}

Task<Result<std::string>> OpenAiEngine::make_cold(std::string) {
  co_return std::string("process_warm");
}

Task<Result<ServerCounters>> OpenAiEngine::counters(Nanos timeout) {
  HttpRequest request;
  request.target = "/metrics";
  const auto text = co_await fetch_json(request, timeout);
  if (!text) co_return fail(text.error());
  const auto counter = [&](std::string_view llama, std::string_view vllm) {
    auto sum = metric_sum(*text, llama);
    if (!sum) sum = metric_sum(*text, vllm);
    return sum ? std::optional(static_cast<int64_t>(*sum)) : std::nullopt;
  };
  ServerCounters counters;
  counters.prompt_tokens = counter("llamacpp:prompt_tokens_total", "vllm:prompt_tokens_total");
  counters.output_tokens =
      counter("llamacpp:tokens_predicted_total", "vllm:generation_tokens_total");
  if (!counters.output_tokens) co_return fail(Errc::kNotFound, "no known counter in /metrics");
  co_return counters;
}

Task<Result<int64_t>> OpenAiEngine::count_tokens(std::string, std::string) {
  co_return fail(Errc::kNotFound, "this engine has no tokenizer endpoint");
}

}  // namespace assay
