#include "engines/builtin.h"

#include "engines/openai.h"

namespace assay {

std::unique_ptr<Engine> make_openai(HttpClient& http, Url url, Secret key) {
  return std::make_unique<OpenAiEngine>(http, std::move(url), std::move(key));
}

const std::vector<EngineEntry>& engine_table() {
  // The engines that can be told apart come before the dialect that all of them speak.
  static const std::vector<EngineEntry> table{
      {"ollama", "Ollama, by its own /api/chat", 11434, &make_ollama},
      {"llamacpp", "llama.cpp's llama-server", 8080, &make_llamacpp},
      {"lmstudio", "LM Studio, by its own /api/v1/chat", 1234, &make_lmstudio},
      {"vllm", "vLLM", 8000, &make_vllm},
      {"openai", "any server with OpenAI's chat completions", 8080, &make_openai},
  };
  return table;
}

}  // namespace assay
