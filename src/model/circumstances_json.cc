#include "model/circumstances_json.h"

#include <nlohmann/json.hpp>

namespace assay {
namespace {

using Json = nlohmann::ordered_json;

template <class T>
Json as_json(const std::optional<T>& value) {
  return value ? Json(*value) : Json(nullptr);
}

template <class T>
void take(const Json& json, const char* key, T& out) {
  if (const auto it = json.find(key); it != json.end() && !it->is_null()) out = it->get<T>();
}
template <class T>
void take(const Json& json, const char* key, std::optional<T>& out) {
  if (const auto it = json.find(key); it != json.end() && !it->is_null()) out = it->get<T>();
}

}  // namespace

Json windows_json(const std::vector<DayWindow>& windows) {
  Json list = Json::array();
  for (const DayWindow& window : windows) list.push_back(window_text(window));
  return list;
}

std::vector<DayWindow> parse_windows(const Json& json) {
  std::vector<DayWindow> windows;
  for (const Json& text : json) {
    if (const auto window = parse_window(text.get<std::string>())) windows.push_back(*window);
  }
  return windows;
}

Json references_json(const std::vector<Reference>& references) {
  Json list = Json::array();
  for (const Reference& r : references) {
    list.push_back({{"prompt_id", r.prompt_id},
                    {"metric", r.metric},
                    {"value", r.value},
                    {"tolerance", r.tolerance}});
  }
  return list;
}

std::vector<Reference> parse_references(const Json& json) {
  std::vector<Reference> references;
  for (const Json& item : json) {
    Reference& r = references.emplace_back();
    take(item, "prompt_id", r.prompt_id);
    take(item, "metric", r.metric);
    take(item, "value", r.value);
    take(item, "tolerance", r.tolerance);
  }
  return references;
}

Json preflight_json(const std::vector<PreflightCheck>& checks) {
  Json list = Json::array();
  for (const PreflightCheck& c : checks) {
    list.push_back({{"name", c.name},
                    {"ok", c.ok},
                    {"detail", c.detail},
                    {"identity", c.identity},
                    {"decides", c.decides}});
  }
  return list;
}

std::vector<PreflightCheck> parse_preflight(const Json& json) {
  std::vector<PreflightCheck> checks;
  for (const Json& item : json) {
    PreflightCheck& c = checks.emplace_back();
    take(item, "name", c.name);
    take(item, "ok", c.ok);
    take(item, "detail", c.detail);
    take(item, "identity", c.identity);
    take(item, "decides", c.decides);
  }
  return checks;
}

Json environment_json(const Environment& e) {
  Json gpus = Json::array();
  for (const Gpu& gpu : e.gpus) gpus.push_back({{"name", gpu.name}, {"driver", gpu.driver}});
  return {{"cpu_model", as_json(e.cpu_model)},
          {"cores", as_json(e.cores)},
          {"governor", as_json(e.governor)},
          {"memory_bytes", as_json(e.memory_bytes)},
          {"kernel", as_json(e.kernel)},
          {"os", as_json(e.os)},
          {"cpu_limit", as_json(e.cpu_limit)},
          {"memory_limit_bytes", as_json(e.memory_limit_bytes)},
          {"gpus", std::move(gpus)},
          {"compiler", e.compiler},
          {"missing", e.missing}};
}

Environment parse_environment(const Json& json) {
  Environment e;
  take(json, "cpu_model", e.cpu_model);
  take(json, "cores", e.cores);
  take(json, "governor", e.governor);
  take(json, "memory_bytes", e.memory_bytes);
  take(json, "kernel", e.kernel);
  take(json, "os", e.os);
  take(json, "cpu_limit", e.cpu_limit);
  take(json, "memory_limit_bytes", e.memory_limit_bytes);
  if (json.contains("gpus")) {
    for (const Json& item : json["gpus"]) {
      Gpu& gpu = e.gpus.emplace_back();
      take(item, "name", gpu.name);
      take(item, "driver", gpu.driver);
    }
  }
  take(json, "compiler", e.compiler);
  take(json, "missing", e.missing);
  return e;
}

}  // namespace assay
