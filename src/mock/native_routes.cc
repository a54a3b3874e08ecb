#include "mock/native_routes.h"

#include <fmt/format.h>

#include <algorithm>
#include <map>
#include <nlohmann/json.hpp>

#include "base/text.h"
#include "mock/mock_service.h"
#include "mock/openai_dialect.h"
#include "mock/route_support.h"
#include "mock/tokens.h"

namespace assay {

namespace {

using Json = nlohmann::ordered_json;

bool is_embedding(const std::string& name) { return name.find("embed") != std::string::npos; }

std::string key_of(const std::string& name) { return name.substr(0, name.find('@')); }

std::string quantization_of(const std::string& name) {
  const size_t at = name.find('@');
  return at == std::string::npos ? "Q8_0" : name.substr(at + 1);
}

}  // namespace

nlohmann::ordered_json lm_studio_config(const std::string& model, MockService& service) {
  constexpr int64_t kUsualBatch = 512;
  const LoadedAs as = service.models().loaded_as(model);
  return {{"context_length", as.context_length.value_or(shown_ctx(service.options()))},
          {"eval_batch_size", as.batch_size.value_or(kUsualBatch)},
          {"flash_attention", as.flash_attention.value_or(true)},
          {"offload_kv_cache_to_gpu", as.kv_offload.value_or(true)}};
}

std::string lm_studio_models(const ServedRequest&, MockService& service) {
  const MockOptions& options = service.options();
  const auto loaded = service.models().loaded();
  std::map<std::string, std::vector<std::string>> variants;
  for (const std::string& name : options.models) variants[key_of(name)].push_back(name);
  Json models = Json::array();
  for (const auto& [key, names] : variants) {
    const bool embedding = is_embedding(key);
    Json instances = Json::array();
    std::string selected = names.front();
    for (const std::string& name : loaded) {
      if (key_of(name) != key) continue;
      instances.push_back({{"id", name}, {"config", lm_studio_config(name, service)}});
      if (std::find(names.begin(), names.end(), name) != names.end()) selected = name;
    }
    Json model = {{"type", embedding ? "embedding" : "llm"},
                  {"publisher", "assay"},
                  {"key", key},
                  {"display_name", key},
                  {"quantization", {{"name", quantization_of(selected)}, {"bits_per_weight", 8}}},
                  {"size_bytes", kMockModelBytes},
                  {"params_string", "1B"},
                  {"loaded_instances", std::move(instances)},
                  {"max_context_length", shown_ctx(options)},
                  {"format", "gguf"}};
    if (!embedding) model["capabilities"] = {{"vision", false}, {"trained_for_tool_use", true}};
    if (names.size() > 1) {
      model["variants"] = names;
      model["selected_variant"] = selected;
    }
    models.push_back(std::move(model));
  }
  return ok_json({{"models", std::move(models)}});
}

std::string lm_studio_older_models(const ServedRequest&, MockService& service) {
  const MockOptions& options = service.options();
  const auto loaded = service.models().loaded();
  Json data = Json::array();
  for (const std::string& name : options.models) {
    const bool there = std::find(loaded.begin(), loaded.end(), name) != loaded.end();
    Json model = {{"id", name},
                  {"object", "model"},
                  {"type", is_embedding(name) ? "embeddings" : "llm"},
                  {"publisher", "assay"},
                  {"arch", "mock"},
                  {"compatibility_type", "gguf"},
                  {"quantization", quantization_of(name)},
                  {"state", there ? "loaded" : "not-loaded"},
                  {"max_context_length", shown_ctx(options)}};
    if (!is_embedding(name)) model["capabilities"] = Json::array({"tool_use"});
    if (there) model["loaded_context_length"] = shown_ctx(options);
    data.push_back(std::move(model));
  }
  return ok_json({{"object", "list"}, {"data", std::move(data)}});
}

std::string lm_studio_downloads(const ServedRequest&, MockService&) {
  const Json none = Json::array();
  return ok_json({{"downloading", none}, {"completed", none}, {"failed", none}, {"paused", none}});
}

std::string vllm_models(const ServedRequest&, MockService& service) {
  const MockOptions& options = service.options();
  Json data = Json::array();
  for (const std::string& name : options.models) {
    data.push_back({{"id", name},
                    {"object", "model"},
                    {"created", kMockModelDate_s},
                    {"owned_by", "vllm"},
                    {"root", name},
                    {"parent", nullptr},
                    {"max_model_len", shown_ctx(options)}});
  }
  return ok_json({{"object", "list"}, {"data", std::move(data)}});
}

std::string vllm_version(const ServedRequest&, MockService&) {
  return ok_json({{"version", "0.0.0-mock"}});
}

/// Some of its counters, in the text form of Prometheus, with its labels.
std::string vllm_metrics(const ServedRequest&, MockService& service) {
  const MockStats& stats = service.stats();
  const std::string labels =
      fmt::format(R"({{engine="0",model_name="{}"}})", service.options().models.front());
  std::string text;
  const auto add = [&](std::string_view name, int64_t value) {
    text += fmt::format("# TYPE vllm:{0} counter\nvllm:{0}{1} {2}.0\n", name, labels, value);
  };
  const int64_t prompts = stats.prompt_tokens + stats.cached_tokens;
  add("prompt_tokens_total", prompts);
  add("generation_tokens_total", stats.output_tokens);
  add("prefix_cache_queries_total", prompts);
  add("prefix_cache_hits_total", stats.cached_tokens);
  return http_response(200, "text/plain; version=0.0.4", text);
}

std::string vllm_tokenize(const ServedRequest& request, MockService& service) {
  const auto body = nlohmann::json::parse(request.body, nullptr, false);
  if (!body.is_object() || !body.contains("prompt") || !body["prompt"].is_string()) {
    return http_response(400, kJsonType,
                         openai_error(Flavor::kVllm, 400, "`prompt` must be a text"));
  }
  Json tokens = Json::array();
  const std::string text = body["prompt"].get<std::string>();
  for (const std::string_view token : split_tokens(text)) tokens.push_back(token_id(token));
  const size_t count = tokens.size();
  return ok_json({{"count", count},
                  {"max_model_len", shown_ctx(service.options())},
                  {"tokens", std::move(tokens)}});
}

std::string vllm_is_sleeping(const ServedRequest&, MockService& service) {
  return ok_json({{"is_sleeping", service.asleep()}});
}

}  // namespace assay
