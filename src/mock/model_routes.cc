#include "mock/model_routes.h"

#include <fmt/format.h>

#include <algorithm>
#include <nlohmann/json.hpp>

#include "mock/lmstudio_dialect.h"
#include "mock/mock_service.h"
#include "mock/native_routes.h"
#include "mock/openai_dialect.h"
#include "mock/route_support.h"

namespace assay {

namespace {

using Json = nlohmann::json;

std::string ok(const Json& body) { return http_response(200, kJsonType, body.dump()); }

/// A text member of the request's body, or empty.
std::string asked_for(const ServedRequest& request, const char* member) {
  const Json body = Json::parse(request.body, nullptr, false);
  if (!body.is_object() || !body.contains(member) || !body[member].is_string()) return {};
  return body[member].get<std::string>();
}

std::optional<int64_t> count_in(const Json& body, const char* member) {
  if (!body.is_object() || !body.contains(member)) return std::nullopt;
  const Json& value = body[member];
  return value.is_number_integer() ? std::optional(value.get<int64_t>()) : std::nullopt;
}

std::optional<bool> flag_in(const Json& body, const char* member) {
  if (!body.is_object() || !body.contains(member)) return std::nullopt;
  const Json& value = body[member];
  return value.is_boolean() ? std::optional(value.get<bool>()) : std::nullopt;
}

TimedResponse now(const ServedRequest& request, std::string response) {
  return {std::move(response), request.received};
}

/// Until the model is there.
MonoNs loaded_at(const ServedRequest& request, const std::string& model, MockService& service) {
  const Nanos load = service.options().load_time;
  return request.received + service.models().load_wait(model, request.received, load).count();
}

TimedResponse lm_studio_load(const ServedRequest& request, MockService& service) {
  const std::string model = asked_for(request, "model");
  if (model.empty()) {
    return now(request, http_response(400, kJsonType,
                                      lm_studio_error(400, "\"model\" is required", "model")));
  }
  const Json body = Json::parse(request.body, nullptr, false);
  const bool embedding = model.find("embed") != std::string::npos;
  if (embedding && body.contains("offload_kv_cache_to_gpu")) {
    return now(request,
               http_response(400, kJsonType,
                             lm_studio_error(400,
                                             "load option offload_kv_cache_to_gpu is not supported "
                                             "for an embedding model",
                                             "offload_kv_cache_to_gpu")));
  }
  LoadedAs asked;
  asked.context_length = count_in(body, "context_length");
  asked.batch_size = count_in(body, "eval_batch_size");
  asked.flash_attention = flag_in(body, "flash_attention");
  asked.kv_offload = flag_in(body, "offload_kv_cache_to_gpu");
  service.models().load_as(model, asked);
  const double load_s = static_cast<double>(service.options().load_time.count()) / 1e9;
  Json loaded{{"type", embedding ? "embedding" : "llm"},
              {"instance_id", model},
              {"load_time_seconds", load_s},
              {"status", "loaded"}};
  if (flag_in(body, "echo_load_config").value_or(false)) {
    loaded["load_config"] = lm_studio_config(model, service);
  }
  return {ok(loaded), loaded_at(request, model, service)};
}

TimedResponse lm_studio_unload(const ServedRequest& request, MockService& service) {
  const std::string id = asked_for(request, "instance_id");
  const auto loaded = service.models().loaded();
  if (std::find(loaded.begin(), loaded.end(), id) == loaded.end()) {
    return now(request, http_response(404, kJsonType, lm_studio_error(404, "no such instance")));
  }
  service.models().unload(id);
  return now(request, ok({{"instance_id", id}}));
}

TimedResponse router_load(const ServedRequest& request, MockService& service) {
  const std::string model = asked_for(request, "model");
  const auto& known = service.options().models;
  if (std::find(known.begin(), known.end(), model) == known.end()) {
    const std::string error = openai_error(Flavor::kRouter, 404, "model not found");
    return now(request, http_response(404, kJsonType, error));
  }
  if (service.models().loaded_at(model)) {
    const std::string error = openai_error(Flavor::kRouter, 400, "model is already running");
    return now(request, http_response(400, kJsonType, error));
  }
  loaded_at(request, model, service);  // It begins, and the answer does not wait for it.
  return now(request, ok({{"success", true}}));
}

TimedResponse router_unload(const ServedRequest& request, MockService& service) {
  const std::string model = asked_for(request, "model");
  const auto loaded = service.models().loaded();
  if (std::find(loaded.begin(), loaded.end(), model) == loaded.end()) {
    const std::string error = openai_error(Flavor::kRouter, 400, "model is not running");
    return now(request, http_response(400, kJsonType, error));
  }
  service.models().unload(model);
  return now(request, ok({{"success", true}}));
}

TimedResponse vllm_sleep(const ServedRequest& request, MockService& service) {
  service.set_asleep(true);
  for (const std::string& model : service.models().loaded()) service.models().unload(model);
  return now(request, http_response(200, kJsonType, ""));
}

TimedResponse vllm_wake_up(const ServedRequest& request, MockService& service) {
  MonoNs due = request.received;
  for (const std::string& model : service.options().models) {
    due = std::max(due, loaded_at(request, model, service));
  }
  service.set_asleep(false);
  return {http_response(200, kJsonType, ""), due};
}

struct Route {
  Flavor flavor;
  std::string_view path;
  TimedResponse (*respond)(const ServedRequest&, MockService&);
};

constexpr Route kRoutes[] = {
    {Flavor::kLmStudio, "/api/v1/models/load", &lm_studio_load},
    {Flavor::kLmStudio, "/api/v1/models/unload", &lm_studio_unload},
    {Flavor::kRouter, "/models/load", &router_load},
    {Flavor::kRouter, "/models/unload", &router_unload},
    {Flavor::kVllm, "/sleep", &vllm_sleep},
    {Flavor::kVllm, "/wake_up", &vllm_wake_up},
};

}  // namespace

std::optional<TimedResponse> model_response(const ServedRequest& request, MockService& service) {
  if (request.method != "POST") return std::nullopt;
  for (const Route& route : kRoutes) {
    if (route.flavor == service.options().flavor && route.path == request.path) {
      return route.respond(request, service);
    }
  }
  return std::nullopt;
}

}  // namespace assay
