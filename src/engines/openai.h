#pragma once

#include <nlohmann/json_fwd.hpp>

#include "engines/engine.h"

namespace assay {

/// The dialogue and the prompt as OpenAI's list of messages; Ollama takes the same.
nlohmann::ordered_json chat_messages(const CallRequest& request);
/// Adds the request's tools to a body, if it has any.
void add_tools(const CallRequest& request, nlohmann::ordered_json& body);
/// The request of a streamed answer with that body.
HttpRequest post_chat(std::string target, const nlohmann::ordered_json& body);

/// What CallSettings::think asks for.
enum class Think : uint8_t { kSwitch, kEffort, kTokens };
/// `off` and `on` are a switch, `low`, `medium` and `high` an effort, a number tokens at most.
Think think_kind(std::string_view think);

/// Any server that speaks OpenAI's chat completions. The base of the engines that extend it.
class OpenAiEngine : public Engine {
 public:
  using Engine::Engine;

  [[nodiscard]] std::string_view kind() const override { return "openai"; }
  Task<Result<EngineInfo>> probe(Nanos timeout) override;
  Task<Result<std::vector<ModelInfo>>> models(Nanos timeout) override;
  Task<Result<std::string>> make_cold(std::string model) override;
  Task<Result<int64_t>> count_tokens(std::string model, std::string text) override;
  /// llama-server's and vLLM's, by their /metrics.
  Task<Result<ServerCounters>> counters(std::string model, Nanos timeout) override;
  [[nodiscard]] HttpRequest chat_request(const CallRequest& request) const override;
  /// Of thinking OpenAI's dialect knows the effort alone.
  [[nodiscard]] SettingsFit fit(const CallSettings& settings) const override;
  [[nodiscard]] bool fixes_length() const override {
    return accepts.ignore_eos || accepts.min_tokens;
  }
  [[nodiscard]] Framing framing() const override { return Framing::kSse; }
  bool decode(std::string_view payload, Delta& delta, size_t& error_at) override;

 protected:
  /// The body of /v1/chat/completions. Thinking in it but for an effort is the caller's.
  [[nodiscard]] nlohmann::ordered_json chat_body(const CallRequest& request) const;
  /// The models under `data` of a list: OpenAI's, and what llama-server, vLLM and LM Studio add.
  Task<Result<std::vector<ModelInfo>>> list_models(std::string target, Nanos timeout);
  Task<Result<ServerCounters>> read_metrics(std::string target, Nanos timeout);
};

}  // namespace assay
