#include <fmt/format.h>

#include <algorithm>
#include <map>
#include <nlohmann/json.hpp>

#include "base/text.h"
#include "engines/builtin.h"
#include "engines/json_fields.h"
#include "engines/llamacpp_facts.h"
#include "engines/openai.h"
#include "model/engine_name.h"
#include "net/sleep.h"

namespace assay {
namespace {

using Json = nlohmann::json;

constexpr Nanos kShortTimeout = std::chrono::seconds(30);
constexpr Nanos kLoadTimeout = std::chrono::minutes(5);
constexpr Nanos kBetweenLooks = std::chrono::milliseconds(20);

/// llama.cpp's llama-server: OpenAI's dialect with /props, /slots, /tokenize and its own timings.
/// In router mode it has several models, which it loads and unloads on request.
class LlamaCppEngine : public OpenAiEngine {
 public:
  using OpenAiEngine::OpenAiEngine;

  [[nodiscard]] std::string_view kind() const override { return "llamacpp"; }

  Task<Result<EngineInfo>> probe(Nanos timeout) override {
    const auto props = co_await fetch_props(std::string(), timeout);
    if (!props) co_return fail(props.error());
    is_router_ = text_at(*props, "role") == "router";
    EngineInfo info;
    info.version = text_at(*props, "build_info");
    info.threads = integer_at(*props, "n_threads");
    info.slots = integer_at(*props, "total_slots");
    ModelInfo told;
    add_props(*props, told);
    if (!is_router_) info.load = told.load;
    info.load.parallel.reset();  // The slots above.
    templates_[std::string()] = text_at(*props, "chat_template");
    is_bundled_ = info.version.starts_with(kBundledVersion);
    if (is_router_) co_return info;
    HttpRequest request;
    request.target = "/slots";
    const auto listed = co_await fetch_json(std::move(request), timeout);
    const Json slots = listed ? Json::parse(*listed, nullptr, false) : Json();
    if (!slots.is_array()) co_return info;  // A server may keep them to itself.
    int64_t busy = 0;
    for (const Json& slot : slots) {
      busy += slot.is_object() && slot.contains("is_processing") && slot["is_processing"] == true;
    }
    if (!info.slots) info.slots = static_cast<int64_t>(slots.size());
    if (busy > 0) info.busy = fmt::format("{} of {} slots answer others", busy, slots.size());
    co_return info;
  }

  Task<Result<std::vector<ModelInfo>>> models(Nanos timeout) override {
    if (is_router_) co_return co_await routed_models(timeout);
    const auto listed = co_await model_list("/v1/models", timeout);
    if (!listed) co_return fail(listed.error());
    const auto props = co_await fetch_props(std::string(), timeout);
    std::vector<ModelInfo> models;
    for (const Json& item : *listed) {
      ModelInfo& model = models.emplace_back(llama_server_listed(item));
      // A plain llama-server has one model, always loaded.
      model.loaded = listed->size() == 1;
      if (props && model.loaded) add_props(*props, model);
    }
    co_return models;
  }

  [[nodiscard]] bool keeps_length() const override { return true; }
  [[nodiscard]] bool unloads() const override { return is_router_; }
  [[nodiscard]] bool loads_in_call() const override { return !is_router_; }

  Task<Result<std::string>> make_cold(std::string model) override {
    if (!is_router_) co_return std::string("process_warm");
    const auto status = co_await status_of(model, LastLoad::kCounts);
    if (!status) co_return fail(status.error());
    if (*status != "unloaded") {
      const auto asked =
          co_await fetch_object("POST", "/models/unload", named(model), kShortTimeout);
      if (!asked) co_return fail(asked.error());
      const auto gone = co_await wait_for_status(model, "unloaded", kShortTimeout);
      if (!gone) co_return fail(gone.error());
    }
    co_return std::string("unload");
  }

  Task<Result<LoadedModel>> load(std::string model, LaunchSettings) override {
    if (!is_router_)
      co_return fail(Errc::kNotFound, "a llama-server with one model loads no other");
    LoadedModel loaded;
    loaded.instance = model;
    // It refuses to load a model that is there, or on its way.
    const auto before = co_await status_of(model, LastLoad::kForgiven);
    if (!before) co_return fail(before.error());
    if (*before == "loaded") co_return loaded;
    const MonoNs started = mono_now_ns();
    if (*before == "loading") {
      const auto ready = co_await wait_for_status(model, "loaded", kLoadTimeout);
      if (!ready) co_return fail(ready.error());
      co_return loaded;
    }
    const auto asked = co_await fetch_object("POST", "/models/load", named(model), kShortTimeout);
    if (!asked) co_return fail(asked.error());
    const auto ready = co_await wait_for_status(model, "loaded", kLoadTimeout);
    if (!ready) co_return fail(ready.error());
    loaded.load_ms = static_cast<double>(mono_now_ns() - started) / 1e6;
    co_return loaded;
  }

  Task<Result<int64_t>> count_tokens(std::string model, std::string text) override {
    Json body{{"content", text}};
    if (is_router_) body["model"] = model;
    std::string dumped = body.dump(-1, ' ', false, Json::error_handler_t::replace);
    const auto json = co_await fetch_object("POST", "/tokenize", std::move(dumped), kShortTimeout);
    if (!json) co_return fail(json.error());
    if (!json->contains("tokens") || !(*json)["tokens"].is_array()) {
      co_return fail(Errc::kProtocol, fmt::format("{}/tokenize gave no tokens", url().text()));
    }
    co_return static_cast<int64_t>((*json)["tokens"].size());
  }

  /// A router counts each model by itself, from its load on.
  Task<Result<ServerCounters>> counters(std::string model, Nanos timeout) override {
    if (!is_router_) co_return co_await read_metrics("/metrics", timeout);
    auto counters = co_await read_metrics("/metrics" + of_model(model), timeout);
    if (counters) counters->model = std::move(model);
    co_return counters;
  }
  [[nodiscard]] bool counts_each_model() const override { return is_router_; }

  [[nodiscard]] SettingsFit fit(const CallSettings& settings) const override {
    return fit_request(CallRequest(std::string(), std::string(), settings));
  }

  [[nodiscard]] SettingsFit fit_request(const CallRequest& request) const override {
    const CallSettings& settings = request.settings;
    SettingsFit fit = OpenAiEngine::fit(settings);
    std::erase(fit.missing, "cache_prompt");
    if (settings.think && heeds(request.model, *settings.think)) {
      std::erase(fit.missing, "think");
    } else if (settings.think && std::ranges::find(fit.missing, "think") == fit.missing.end()) {
      fit.missing.emplace_back("think");
    }
    return fit;
  }

  [[nodiscard]] HttpRequest chat_request(const CallRequest& request) const override {
    nlohmann::ordered_json body = chat_body(request);
    const auto& cache = request.settings.cache_prompt;
    if (cache) body["cache_prompt"] = *cache;
    if (const auto& think = request.settings.think) {
      body.erase("reasoning_effort");  // The template reads it, if anybody.
      if (think_kind(*think) == Think::kEffort) {
        body["chat_template_kwargs"] = {{"reasoning_effort", *think}};
      } else {
        body["chat_template_kwargs"] = {{"enable_thinking", *think != "off"}};
      }
      if (think_kind(*think) == Think::kTokens) body["thinking_budget_tokens"] = std::stoll(*think);
    }
    return post_chat("/v1/chat/completions", body);
  }

 private:
  /// A template that has no word for it drops it in silence; one that is not told may have. Tokens
  /// are counted by the server itself, and the bundled engine does not.
  [[nodiscard]] bool heeds(const std::string& model, std::string_view think) const {
    const Think kind = think_kind(think);
    if (kind == Think::kTokens && is_bundled_) return false;
    const std::string_view word = kind == Think::kEffort ? "reasoning_effort" : "thinking";
    const auto of_it = templates_.find(is_router_ ? model : std::string());
    return of_it == templates_.end() || of_it->second.empty() ||
           of_it->second.find(word) != std::string::npos;
  }

  static std::string named(const std::string& model) {
    return Json{{"model", model}}.dump(-1, ' ', false, Json::error_handler_t::replace);
  }

  /// Of a model of a router, without loading it.
  static std::string of_model(const std::string& model) {
    return "?autoload=false&model=" + percent_encoded(model);
  }

  static std::string status_in(const Json& model) {
    const auto status = model.find("status");
    return status == model.end() ? std::string() : text_at(*status, "value");
  }

  Task<Result<Json>> model_list(std::string target, Nanos timeout) {
    auto json = co_await fetch_object("GET", target, std::string(), timeout);
    if (!json) co_return json;
    if (!json->contains("data") || !(*json)["data"].is_array()) {
      co_return fail(Errc::kProtocol, fmt::format("{}{} is no model list", url().text(), target));
    }
    Json models = Json::array();
    for (const Json& model : (*json)["data"]) {
      if (!text_at(model, "id").empty()) models.push_back(model);
    }
    co_return models;
  }

  Task<Result<std::vector<ModelInfo>>> routed_models(Nanos timeout) {
    const auto listed = co_await model_list("/models", timeout);
    if (!listed) co_return fail(listed.error());
    std::vector<ModelInfo> models;
    for (const Json& item : *listed) {
      ModelInfo& info = models.emplace_back(llama_server_listed(item));
      if (!info.loaded) continue;
      const auto props = co_await fetch_props(info.name, timeout);
      if (!props) continue;
      add_props(*props, info);
      templates_[info.name] = text_at(*props, "chat_template");
    }
    co_return models;
  }

  /// Whether a load that failed is an error now.
  enum class LastLoad : uint8_t { kCounts, kForgiven };

  /// `unloaded`, `loading`, `loaded` or `sleeping`. kProtocol after a load that failed.
  Task<Result<std::string>> status_of(std::string model, LastLoad last) {
    const auto listed = co_await model_list("/models", kShortTimeout);
    if (!listed) co_return fail(listed.error());
    for (const Json& item : *listed) {
      if (text_at(item, "id") != model || !item.contains("status")) continue;
      const Json& status = item["status"];
      if (last == LastLoad::kCounts && flag_at(status, "failed").value_or(false)) {
        const auto code = integer_at(status, "exit_code");
        co_return fail(Errc::kProtocol,
                       fmt::format("the router could not load {}{}", printable(model, 80),
                                   code ? fmt::format(": its process ended with {}", *code) : ""));
      }
      co_return status_in(item);
    }
    co_return fail(Errc::kNotFound, fmt::format("the router has no {}", printable(model, 80)));
  }

  Task<Result<void>> wait_for_status(std::string model, std::string wanted, Nanos timeout) {
    const MonoNs deadline = mono_now_ns() + timeout.count();
    for (;;) {
      const auto status = co_await status_of(model, LastLoad::kCounts);
      if (!status) co_return fail(status.error());
      if (*status == wanted) co_return Result<void>();
      if (mono_now_ns() > deadline) {
        co_return fail(Errc::kTimeout, fmt::format("{} is still {} instead of {}",
                                                   printable(model, 80), *status, wanted));
      }
      co_await sleep_for(http().io(), kBetweenLooks);
    }
  }

  /// Of a model of a router, without loading it; of the server itself when `model` is empty.
  Task<Result<Json>> fetch_props(std::string model, Nanos timeout) {
    const std::string target = "/props" + (model.empty() ? std::string() : of_model(model));
    auto json = co_await fetch_object("GET", target, std::string(), timeout);
    if (!json) co_return json;
    if (!json->contains("default_generation_settings")) {
      co_return fail(Errc::kProtocol, fmt::format("{}/props is not llama-server's", url().text()));
    }
    co_return json;
  }

  // Known after probe().
  bool is_router_ = false;
  bool is_bundled_ = false;
  std::map<std::string, std::string> templates_;  ///< By model; without a name: the only one's.
};

}  // namespace

std::unique_ptr<Engine> make_llamacpp(HttpClient& http, Url url, Secret key) {
  return std::make_unique<LlamaCppEngine>(http, std::move(url), std::move(key));
}

}  // namespace assay
