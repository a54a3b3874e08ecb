#include <fmt/format.h>

#include <nlohmann/json.hpp>

#include "engines/builtin.h"
#include "engines/openai.h"

namespace assay {
namespace {

using Json = nlohmann::json;

std::optional<int64_t> whole_number(const Json& json, const char* key) {
  const auto found = json.find(key);
  if (found == json.end() || !found->is_number_integer()) return std::nullopt;
  return found->get<int64_t>();
}

/// llama.cpp's llama-server: OpenAI's dialect with /props, /tokenize and its own timings.
class LlamaCppEngine : public OpenAiEngine {
 public:
  using OpenAiEngine::OpenAiEngine;

  [[nodiscard]] std::string_view kind() const override { return "llamacpp"; }

  Task<Result<EngineInfo>> probe(Nanos timeout) override {
    const auto props = co_await fetch_props(timeout);
    if (!props) co_return fail(props.error());
    EngineInfo info;
    info.version = props->value("build_info", "");
    info.threads = whole_number(*props, "n_threads");
    info.slots = whole_number(*props, "total_slots");
    co_return info;
  }

  Task<Result<std::vector<ModelInfo>>> models(Nanos timeout) override {
    auto listed = co_await OpenAiEngine::models(timeout);
    if (!listed) co_return listed;
    const auto props = co_await fetch_props(timeout);
    for (ModelInfo& model : *listed) {
      model.loaded = listed->size() == 1;  // A plain llama-server has one model, always loaded.
      if (!props) continue;
      const auto settings = props->find("default_generation_settings");
      if (settings != props->end() && settings->is_object()) {
        model.context_length = whole_number(*settings, "n_ctx");
      }
    }
    co_return listed;
  }

  Task<Result<int64_t>> count_tokens(std::string, std::string text) override {
    HttpRequest request;
    request.method = "POST";
    request.target = "/tokenize";
    request.body = Json{{"content", text}}.dump(-1, ' ', false, Json::error_handler_t::replace);
    const auto answer = co_await fetch_json(request, std::chrono::seconds(30));
    if (!answer) co_return fail(answer.error());
    const Json json = Json::parse(*answer, nullptr, false);
    if (!json.is_object() || !json.contains("tokens") || !json["tokens"].is_array()) {
      co_return fail(Errc::kProtocol, fmt::format("{}/tokenize gave no tokens", url().text()));
    }
    co_return static_cast<int64_t>(json["tokens"].size());
  }

 private:
  Task<Result<Json>> fetch_props(Nanos timeout) {
    HttpRequest request;
    request.target = "/props";
    const auto text = co_await fetch_json(request, timeout);
    if (!text) co_return fail(text.error());
    Json json = Json::parse(*text, nullptr, false);
    if (!json.is_object() || !json.contains("default_generation_settings")) {
      co_return fail(Errc::kProtocol, fmt::format("{}/props is not llama-server's", url().text()));
    }
    co_return json;
  }
};

}  // namespace

std::unique_ptr<Engine> make_llamacpp(HttpClient& http, Url url, Secret key) {
  return std::make_unique<LlamaCppEngine>(http, std::move(url), std::move(key));
}

}  // namespace assay
