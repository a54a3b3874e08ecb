#pragma once

#include "engines/engine.h"

namespace assay {

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
  Task<Result<ServerCounters>> counters(Nanos timeout) override;
  [[nodiscard]] HttpRequest chat_request(const CallRequest& request) const override;
  [[nodiscard]] bool fixes_length() const override {
    return accepts.ignore_eos || accepts.min_tokens;
  }
  [[nodiscard]] bool estimates_tokens() const override { return is_lm_studio_; }
  [[nodiscard]] Framing framing() const override { return Framing::kSse; }
  bool decode(std::string_view payload, Delta& delta, size_t& error_at) override;

 private:
  bool is_lm_studio_ = false;  // Known after probe(): it has a model list of its own.
};

}  // namespace assay
