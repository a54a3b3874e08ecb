#include "gguf/model_shape.h"

#include <array>

namespace assay {
namespace {

constexpr Architecture kLlama = Architecture::kLlama;
constexpr Architecture kQwen2 = Architecture::kQwen2;
constexpr Architecture kQwen3 = Architecture::kQwen3;

// The first three are made up. The others are the numbers of config.json in the repository on
// huggingface.co that stands behind each. Llama 3 files also hold rope_freqs.weight (half a head of
// f32): it is optional, is no trained parameter and costs no measurable time, so it is left out and
// counts match the published ones.
// clang-format off
constexpr std::array kShapes = {
    // name, architecture, layers, embedding, feed forward, heads, kv heads, head size,
    // vocabulary, context, rope base, norm epsilon, tied
    ModelShape{"tiny", kLlama, 2, 128, 352, 4, 2, 32, 768, 2048, 1e4, 1e-5, false},
    ModelShape{"small", kLlama, 4, 256, 704, 4, 2, 64, 1024, 4096, 1e4, 1e-5, false},
    ModelShape{"medium", kLlama, 8, 512, 1408, 8, 4, 64, 2048, 8192, 1e4, 1e-5, false},
    // HuggingFaceTB/SmolLM2-135M-Instruct, HuggingFaceTB/SmolLM2-360M-Instruct
    ModelShape{"smollm2-135m", kLlama, 30, 576, 1536, 9, 3, 64, 49152, 8192, 1e5, 1e-5, true},
    ModelShape{"smollm2-360m", kLlama, 32, 960, 2560, 15, 5, 64, 49152, 8192, 1e5, 1e-5, true},
    // Qwen/Qwen2.5-0.5B-Instruct, Qwen/Qwen3-0.6B
    ModelShape{"qwen2.5-0.5b", kQwen2, 24, 896, 4864, 14, 2, 64, 151936, 32768, 1e6, 1e-6, true},
    ModelShape{"qwen3-0.6b", kQwen3, 28, 1024, 3072, 16, 8, 128, 151936, 40960, 1e6, 1e-6, true},
    // meta-llama/Llama-3.2-1B, Qwen/Qwen2.5-1.5B-Instruct, Qwen/Qwen3-1.7B
    ModelShape{"llama-3.2-1b", kLlama, 16, 2048, 8192, 32, 8, 64, 128256, 131072, 5e5, 1e-5, true},
    ModelShape{"qwen2.5-1.5b", kQwen2, 28, 1536, 8960, 12, 2, 128, 151936, 32768, 1e6, 1e-6, true},
    ModelShape{"qwen3-1.7b", kQwen3, 28, 2048, 6144, 16, 8, 128, 151936, 40960, 1e6, 1e-6, true},
    // meta-llama/Llama-3.2-3B, Qwen/Qwen3-4B
    ModelShape{"llama-3.2-3b", kLlama, 28, 3072, 8192, 24, 8, 128, 128256, 131072, 5e5, 1e-5, true},
    ModelShape{"qwen3-4b", kQwen3, 36, 2560, 9728, 32, 8, 128, 151936, 40960, 1e6, 1e-6, true},
    // Qwen/Qwen2.5-7B-Instruct, meta-llama/Llama-3.1-8B, Qwen/Qwen3-8B
    ModelShape{"qwen2.5-7b", kQwen2, 28, 3584, 18944, 28, 4, 128, 152064, 32768, 1e6, 1e-6, false},
    ModelShape{"llama-3.1-8b", kLlama, 32, 4096, 14336, 32, 8, 128, 128256, 131072, 5e5, 1e-5, false},
    ModelShape{"qwen3-8b", kQwen3, 36, 4096, 12288, 32, 8, 128, 151936, 40960, 1e6, 1e-6, false},
};
// clang-format on

}  // namespace

std::string_view architecture_name(Architecture architecture) {
  switch (architecture) {
    case Architecture::kLlama:
      return "llama";
    case Architecture::kQwen2:
      return "qwen2";
    case Architecture::kQwen3:
      return "qwen3";
  }
  return {};
}

std::span<const ModelShape> model_shapes() { return kShapes; }

const ModelShape* find_model_shape(std::string_view name) {
  for (const ModelShape& shape : kShapes) {
    if (shape.name == name) return &shape;
  }
  return nullptr;
}

}  // namespace assay
