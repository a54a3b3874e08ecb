#include <fmt/format.h>

#include <nlohmann/json.hpp>

#include "engines/builtin.h"
#include "engines/openai.h"

namespace assay {
namespace {

using Json = nlohmann::json;

constexpr Nanos kSleepTimeout = std::chrono::minutes(5);

/// vLLM: OpenAI's dialect with /version, /tokenize and its counters. The routes by which it sleeps
/// and wakes up are there in its development mode alone.
class VllmEngine : public OpenAiEngine {
 public:
  using OpenAiEngine::OpenAiEngine;

  [[nodiscard]] std::string_view kind() const override { return "vllm"; }

  Task<Result<EngineInfo>> probe(Nanos timeout) override {
    const auto version = co_await fetch_object("GET", "/version", std::string(), timeout);
    if (!version) co_return fail(version.error());
    const auto listed = co_await fetch_object("GET", "/v1/models", std::string(), timeout);
    if (!listed) co_return fail(listed.error());
    if (!is_own_list(*listed) || !version->contains("version") ||
        !(*version)["version"].is_string()) {
      co_return fail(Errc::kProtocol, fmt::format("{} is not vLLM", url().text()));
    }
    EngineInfo info;
    info.version = (*version)["version"].get<std::string>();
    const auto asleep = co_await fetch_object("GET", "/is_sleeping", std::string(), timeout);
    can_sleep_ = asleep && asleep->contains("is_sleeping");
    if (can_sleep_ && (*asleep)["is_sleeping"] == true) info.busy = "it sleeps";
    co_return info;
  }

  Task<Result<std::vector<ModelInfo>>> models(Nanos timeout) override {
    auto listed = co_await OpenAiEngine::models(timeout);
    if (!listed) co_return listed;
    for (ModelInfo& model : *listed) model.loaded = true;  // A server has its models or is none.
    co_return listed;
  }

  [[nodiscard]] bool keeps_length() const override { return true; }

  [[nodiscard]] SettingsFit fit(const CallSettings& settings) const override {
    SettingsFit fit = OpenAiEngine::fit(settings);
    std::erase(fit.missing, "think");
    return fit;
  }

  [[nodiscard]] HttpRequest chat_request(const CallRequest& request) const override {
    nlohmann::ordered_json body = chat_body(request);
    const auto& think = request.settings.think;
    if (think && think_kind(*think) != Think::kEffort) {
      body["chat_template_kwargs"] = {{"enable_thinking", *think != "off"}};
      if (think_kind(*think) == Think::kTokens) body["thinking_token_budget"] = std::stoll(*think);
    }
    return post_chat("/v1/chat/completions", body);
  }

  [[nodiscard]] bool unloads() const override { return can_sleep_; }
  [[nodiscard]] bool unloads_one() const override { return false; }  // It sleeps as a whole.
  [[nodiscard]] bool loads_in_call() const override { return false; }

  /// Level 1: the weights go to main memory, the cache is dropped.
  Task<Result<std::string>> make_cold(std::string) override {
    if (!can_sleep_) co_return std::string("process_warm");
    const auto slept =
        co_await fetch_object("POST", "/sleep?level=1", std::string(), kSleepTimeout);
    if (!slept) co_return fail(slept.error());
    co_return std::string("sleep");
  }

  Task<Result<LoadedModel>> load(std::string model, LaunchSettings) override {
    LoadedModel loaded;
    loaded.instance = std::move(model);
    if (!can_sleep_) co_return loaded;
    const auto awake = co_await fetch_object("POST", "/wake_up", std::string(), kSleepTimeout);
    if (!awake) co_return fail(awake.error());
    co_return loaded;
  }

  Task<Result<int64_t>> count_tokens(std::string model, std::string text) override {
    Json body{{"model", model}, {"prompt", text}, {"add_special_tokens", false}};
    std::string dumped = body.dump(-1, ' ', false, Json::error_handler_t::replace);
    const auto answer =
        co_await fetch_object("POST", "/tokenize", std::move(dumped), std::chrono::seconds(30));
    if (!answer) co_return fail(answer.error());
    if (!answer->contains("count") || !(*answer)["count"].is_number_integer()) {
      co_return fail(Errc::kProtocol, fmt::format("{}/tokenize gave no count", url().text()));
    }
    co_return (*answer)["count"].get<int64_t>();
  }

 private:
  static bool is_own_list(const Json& json) {
    if (!json.contains("data") || !json["data"].is_array() || json["data"].empty()) return false;
    const Json& first = json["data"].front();
    return first.is_object() && first.value("owned_by", "") == "vllm";
  }

  bool can_sleep_ = false;  // Known after probe().
};

}  // namespace

std::unique_ptr<Engine> make_vllm(HttpClient& http, Url url, Secret key) {
  return std::make_unique<VllmEngine>(http, std::move(url), std::move(key));
}

}  // namespace assay
