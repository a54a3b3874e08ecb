#include "mock/probe_routes.h"

#include <fmt/format.h>

#include <nlohmann/json.hpp>
#include <optional>

#include "base/ids.h"
#include "mock/llama_routes.h"
#include "mock/mock_service.h"
#include "mock/native_routes.h"
#include "mock/ollama_dialect.h"
#include "mock/openai_dialect.h"
#include "mock/route_support.h"
#include "mock/tokens.h"
#include "mock/wall_time.h"

namespace assay {

namespace {

using Json = nlohmann::ordered_json;

std::string models_response(const ServedRequest&, MockService& service) {
  const MockOptions& options = service.options();
  Json data = Json::array();
  for (const std::string& name : options.models) {
    Json model = {{"id", name}, {"object", "model"}, {"created", kMockModelDate_s}};
    model["owned_by"] = options.flavor == Flavor::kOllama ? "library" : "assay";
    data.push_back(std::move(model));
  }
  return ok_json({{"object", "list"}, {"data", std::move(data)}});
}

std::string health_response(const ServedRequest&, MockService&) {
  return ok_json({{"status", "ok"}});
}

std::string tokenize_response(const ServedRequest& request, MockService& service) {
  const auto body = nlohmann::json::parse(request.body, nullptr, false);
  if (!body.is_object() || !body.contains("content") || !body["content"].is_string()) {
    return http_response(400, kJsonType,
                         openai_error(service.options().flavor, 400, "`content` must be a text"));
  }
  const std::string text = body["content"].get<std::string>();
  const bool pieces = body.contains("with_pieces") && body["with_pieces"] == true;
  Json tokens = Json::array();
  for (const std::string_view token : split_tokens(text)) {
    if (pieces) {
      tokens.push_back({{"id", token_id(token)}, {"piece", std::string(token)}});
    } else {
      tokens.push_back(token_id(token));
    }
  }
  return ok_json({{"tokens", std::move(tokens)}});
}

Json details() {
  return {{"parent_model", ""},   {"format", "gguf"},       {"family", "mock"},
          {"families", {"mock"}}, {"parameter_size", "1B"}, {"quantization_level", "Q8_0"}};
}

std::string tags_response(const ServedRequest&, MockService& service) {
  Json models = Json::array();
  for (const std::string& name : service.options().models) {
    models.push_back({{"name", name},
                      {"model", name},
                      {"modified_at", wall_time_text(kMockModelDate_s * 1'000'000'000)},
                      {"size", kMockModelBytes},
                      {"digest", sha256_hex(name)},
                      {"details", details()}});
  }
  return ok_json({{"models", std::move(models)}});
}

std::string ps_response(const ServedRequest&, MockService& service) {
  constexpr int64_t kContextBytes = 1000;  // Of a token of a context that was asked for.
  constexpr int64_t kKeepAlive_ns = 300'000'000'000;
  Json models = Json::array();
  for (const std::string& name : service.models().loaded()) {
    const LoadedAs as = service.models().loaded_as(name);
    const int64_t context = as.context_length.value_or(shown_ctx(service.options()));
    const int64_t bytes = kMockModelBytes + kContextBytes * as.context_length.value_or(0);
    models.push_back({{"name", name},
                      {"model", name},
                      {"size", bytes},
                      {"digest", sha256_hex(name)},
                      {"details", details()},
                      {"expires_at", wall_time_text(wall_now_ns() + kKeepAlive_ns)},
                      {"size_vram", as.gpu_layers == 0 ? 0 : bytes},
                      {"context_length", context}});
  }
  return ok_json({{"models", std::move(models)}});
}

std::string show_response(const ServedRequest& request, MockService& service) {
  const auto body = nlohmann::json::parse(request.body, nullptr, false);
  const bool named = body.is_object() && body.contains("model") && body["model"].is_string();
  if (!named) return http_response(400, kJsonType, ollama_error("model is required"));
  return ok_json({{"modelfile", "FROM mock"},
                  {"parameters", ""},
                  {"template", "{{ .Prompt }}"},
                  {"details", details()},
                  {"model_info",
                   {{"general.architecture", "mock"},
                    {"general.parameter_count", kMockModelBytes},
                    {"mock.context_length", shown_ctx(service.options())}}},
                  {"capabilities", {"completion", "tools", "thinking"}}});
}

std::string version_response(const ServedRequest&, MockService&) {
  return ok_json({{"version", "0.0.0-mock"}});
}

std::string root_response(const ServedRequest&, MockService&) {
  return http_response(200, "text/plain; charset=utf-8", "Ollama is running");
}

std::string redirected_response(const ServedRequest&, MockService&) {
  return ok_json({{"redirected", true}});
}

std::string stats_response(const ServedRequest&, MockService& service) {
  return http_response(200, kJsonType, service.stats().json());
}

std::string reset_response(const ServedRequest&, MockService& service) {
  service.stats().reset();
  return ok_json({{"reset", true}});
}

/// The last requests, with their bodies as they came.
std::string requests_response(const ServedRequest&, MockService& service) {
  Json list = Json::array();
  for (const auto& seen : service.seen()) {
    list.push_back({{"method", seen.method}, {"target", seen.target}, {"body", seen.body}});
  }
  return ok_json(list);
}

/// LM Studio says this with status 200.
std::string unexpected_endpoint(const ServedRequest& request) {
  return ok_json({{"error", fmt::format("Unexpected endpoint or method. ({} {})", request.method,
                                        request.path)}});
}

constexpr uint32_t bit(Flavor flavor) { return 1U << static_cast<uint32_t>(flavor); }

// How one engine is told from another are routes that a server of every flavor at once leaves out,
// so that clients take it for what it is, an OpenAI-compatible server.
constexpr uint32_t kEvery = ~0U;
constexpr uint32_t kLlama = bit(Flavor::kLlamaCpp) | bit(Flavor::kRouter) | bit(Flavor::kAll);
constexpr uint32_t kLlamaAlone = bit(Flavor::kLlamaCpp);
constexpr uint32_t kRouter = bit(Flavor::kRouter);
constexpr uint32_t kOllama = bit(Flavor::kOllama) | bit(Flavor::kAll);
constexpr uint32_t kOllamaAlone = bit(Flavor::kOllama);
constexpr uint32_t kLmStudio = bit(Flavor::kLmStudio);
constexpr uint32_t kLmStudioAny = bit(Flavor::kLmStudio) | bit(Flavor::kLmStudioV0);
constexpr uint32_t kVllm = bit(Flavor::kVllm);

struct Route {
  std::string_view method, path;
  uint32_t flavors;
  std::string (*respond)(const ServedRequest&, MockService&);
};

/// The first that fits answers.
constexpr Route kRoutes[] = {
    {"GET", "/v1/models", kVllm, &vllm_models},
    {"GET", "/v1/models", kRouter, &router_models},
    {"GET", "/v1/models", kLlama, &llama_models},
    {"GET", "/v1/models", kEvery, &models_response},
    {"GET", "/requests", kEvery, &requests_response},
    {"GET", "/stats", kEvery, &stats_response},
    {"POST", "/stats/reset", kEvery, &reset_response},
    {"GET", "/redirected", kEvery, &redirected_response},
    {"POST", "/redirected", kEvery, &redirected_response},
    {"GET", "/health", kLlama, &health_response},
    {"GET", "/v1/health", kLlama, &health_response},
    {"GET", "/health", kVllm, &health_response},
    {"GET", "/props", kLlamaAlone, &llama_props},
    {"GET", "/slots", kLlamaAlone, &slots_response},
    {"GET", "/props", kRouter, &router_props},
    {"GET", "/models", kRouter, &router_models},
    {"GET", "/slots", kRouter, &router_slots},
    {"GET", "/metrics", kRouter, &router_metrics},
    {"GET", "/metrics", kLlama, &llama_metrics},
    {"POST", "/tokenize", kLlama, &tokenize_response},
    {"GET", "/", kOllamaAlone, &root_response},
    {"GET", "/api/tags", kOllama, &tags_response},
    {"GET", "/api/ps", kOllama, &ps_response},
    {"POST", "/api/show", kOllama, &show_response},
    {"GET", "/api/version", kOllamaAlone, &version_response},
    {"GET", "/api/v1/models", kLmStudio, &lm_studio_models},
    {"GET", "/api/v1/models/download/status", kLmStudio, &lm_studio_downloads},
    {"GET", "/api/v0/models", kLmStudioAny, &lm_studio_older_models},
    {"GET", "/version", kVllm, &vllm_version},
    {"GET", "/metrics", kVllm, &vllm_metrics},
    {"POST", "/tokenize", kVllm, &vllm_tokenize},
    {"GET", "/is_sleeping", kVllm, &vllm_is_sleeping},
};

}  // namespace

bool needs_key(const ServedRequest& request) {
  return request.path != "/health" && request.path != "/v1/health" && request.path != "/stats" &&
         request.path != "/stats/reset" && request.path != "/requests";
}

std::string probe_response(const ServedRequest& request, MockService& service) {
  const Flavor flavor = service.options().flavor;
  bool known_path = false;
  for (const Route& route : kRoutes) {
    if (route.path != request.path || (route.flavors & bit(flavor)) == 0) continue;
    known_path = true;
    if (route.method == request.method) return route.respond(request, service);
  }
  if (is_lm_studio(flavor)) return unexpected_endpoint(request);
  const int status = known_path ? 405 : 404;
  if (flavor == Flavor::kOllama) {
    return http_response(status, "text/plain", fmt::format("{} page not found", status));
  }
  return http_response(status, kJsonType, openai_error(flavor, status, "File Not Found"));
}

}  // namespace assay
