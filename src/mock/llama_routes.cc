#include "mock/llama_routes.h"

#include <fmt/format.h>

#include <nlohmann/json.hpp>
#include <optional>
#include <string_view>

#include "base/text.h"
#include "mock/mock_service.h"
#include "mock/openai_dialect.h"
#include "mock/route_support.h"

namespace assay {

namespace {

using Json = nlohmann::ordered_json;

/// What a server without a limit says: more than anyone asks of it.
constexpr int64_t kUnlimitedSlots = 65'536;
/// It has a word for thinking, as the templates of models that think have.
constexpr std::string_view kTemplate =
    "{% for m in messages %}{{ m.content }}\n{% endfor %}"
    "{% if enable_thinking is false %}<think></think>{% endif %}";

/// The model that a query names by `model=`; empty where it is none of ours.
std::string asked_model(const ServedRequest& request, MockService& service) {
  for (const std::string& part : split(request.query, '&')) {
    for (const std::string& name : service.options().models) {
      if (part == "model=" + percent_encoded(name)) return name;
    }
  }
  return {};
}

/// What llama-server says of a model that is loaded.
Json llama_meta(const MockOptions& options) {
  return {{"vocab_type", 2},
          {"n_vocab", 32'000},
          {"n_ctx", shown_ctx(options)},
          {"n_ctx_train", shown_ctx(options)},
          {"n_embd", 64},
          {"n_params", kMockModelBytes},
          {"size", kMockModelBytes},
          {"ftype", "Q8_0"}};
}

/// What a router answers to a question about one of its models that it cannot pass on.
std::optional<std::string> router_refusal(const ServedRequest& request, MockService& service) {
  const std::string model = asked_model(request, service);
  std::string_view why;
  if (model.empty()) {
    why = request.query.empty() ? "model name is missing from the request" : "model not found";
  } else if (!service.models().loaded_at(model)) {
    why = "model is not loaded";
  }
  if (why.empty()) return std::nullopt;
  return http_response(400, kJsonType, openai_error(Flavor::kRouter, 400, why));
}

}  // namespace

std::string llama_models(const ServedRequest&, MockService& service) {
  const MockOptions& options = service.options();
  Json data = Json::array();
  for (const std::string& name : options.models) {
    data.push_back(
        {{"id", name},
         {"aliases", {name}},
         {"tags", Json::array()},
         {"object", "model"},
         {"architecture", {{"input_modalities", {"text"}}, {"output_modalities", {"text"}}}},
         {"created", kMockModelDate_s},
         {"owned_by", "llamacpp"},
         {"meta", llama_meta(options)}});
  }
  return ok_json({{"object", "list"}, {"data", std::move(data)}});
}

std::string router_models(const ServedRequest&, MockService& service) {
  const MockOptions& options = service.options();
  Json data = Json::array();
  for (const std::string& name : options.models) {
    const auto at = service.models().loaded_at(name);
    const std::string_view status = !at ? "unloaded" : *at <= mono_now_ns() ? "loaded" : "loading";
    const Json arguments{"llama-server", "--alias", name, "--model", "/models/" + name + ".gguf"};
    Json model = {
        {"id", name},
        {"aliases", Json::array()},
        {"tags", Json::array()},
        {"object", "model"},
        {"owned_by", "llamacpp"},
        {"created", kMockModelDate_s},
        {"status", {{"value", status}, {"args", arguments}}},
        {"architecture", {{"input_modalities", {"text"}}, {"output_modalities", {"text"}}}},
        {"source", "models_dir"},
        {"can_remove", false},
        {"context_length", shown_ctx(options)}};
    if (status == "loaded") model["meta"] = llama_meta(options);
    data.push_back(std::move(model));
  }
  return ok_json({{"data", std::move(data)}, {"object", "list"}});
}

std::string router_props(const ServedRequest& request, MockService& service) {
  if (!request.query.empty()) {
    if (auto refusal = router_refusal(request, service)) return *refusal;
    return llama_props(request, service);
  }
  return ok_json({{"role", "router"},
                  {"max_instances", 4},
                  {"models_autoload", true},
                  {"model_alias", "llama-server"},
                  {"model_path", "none"},
                  {"default_generation_settings", {{"params", nullptr}, {"n_ctx", 0}}},
                  {"build_info", "b0-mock"}});
}

std::string router_slots(const ServedRequest& request, MockService& service) {
  if (auto refusal = router_refusal(request, service)) return *refusal;
  return slots_response(request, service);
}

std::string router_metrics(const ServedRequest& request, MockService& service) {
  if (auto refusal = router_refusal(request, service)) return *refusal;
  return llama_metrics(request, service);
}

std::string llama_props(const ServedRequest& request, MockService& service) {
  const MockOptions& options = service.options();
  const std::string asked = asked_model(request, service);
  const std::string& model = asked.empty() ? options.models.front() : asked;
  const Json settings = {{"params",
                          {{"n_predict", -1},
                           {"seed", 4294967295},
                           {"temperature", 0.8},
                           {"top_k", 40},
                           {"top_p", 0.95},
                           {"min_p", 0.05},
                           {"max_tokens", -1}}},
                         {"n_ctx", shown_ctx(options)}};
  return ok_json(
      {{"default_generation_settings", settings},
       {"total_slots", options.slots > 0 ? options.slots : kUnlimitedSlots},
       {"model_alias", model},
       {"model_ftype", "Q8_0"},
       {"model_path", "/models/" + model + ".gguf"},
       {"modalities", {{"vision", false}, {"video", false}, {"audio", false}}},
       {"endpoint_slots", true},
       {"endpoint_props", false},
       {"endpoint_metrics", true},
       {"chat_template", kTemplate},
       {"chat_template_caps", {{"supports_tools", false}, {"supports_tool_calls", false}}},
       {"build_info", "b0-mock"},
       {"is_sleeping", false}});
}

/// Some of llama-server's counters, in the text form of Prometheus.
std::string llama_metrics(const ServedRequest&, MockService& service) {
  const MockStats& stats = service.stats();
  std::string text;
  const auto add = [&](std::string_view name, std::string_view help, int64_t value) {
    text += fmt::format("# HELP llamacpp:{0} {1}\n# TYPE llamacpp:{0} counter\nllamacpp:{0} {2}\n",
                        name, help, value);
  };
  add("prompt_tokens_total", "Number of prompt tokens processed, excluding cached tokens",
      stats.prompt_tokens);
  add("prompt_tokens_cached_total", "Number of prompt tokens reused from the cache",
      stats.cached_tokens);
  add("tokens_predicted_total", "Number of generation tokens processed", stats.output_tokens);
  return http_response(200, "text/plain; version=0.0.4", text);
}

std::string slots_response(const ServedRequest&, MockService& service) {
  constexpr int64_t kUsualSlots = 4;
  const MockOptions& options = service.options();
  Json slots = Json::array();
  for (int64_t i = 0; i < (options.slots > 0 ? options.slots : kUsualSlots); ++i) {
    slots.push_back({{"id", i},
                     {"n_ctx", shown_ctx(options)},
                     {"speculative", false},
                     {"is_processing", i < service.stats().active}});
  }
  return ok_json(slots);
}

}  // namespace assay
