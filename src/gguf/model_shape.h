#pragma once

#include <cstdint>
#include <span>
#include <string_view>

namespace assay {

/// The architecture's name as ggml writes it decides the metadata keys and the optional tensors.
enum class Architecture : uint8_t {
  kLlama,
  kQwen2,  ///< As llama, with biases on the query, key and value projections.
  kQwen3,  ///< As llama, with a norm over each head's query and key.
};

std::string_view architecture_name(Architecture architecture);

/// The numbers that fix a decoder's tensor shapes.
struct ModelShape {
  std::string_view name;
  Architecture architecture{};
  int64_t layers = 0;
  int64_t embedding = 0;
  int64_t feed_forward = 0;
  int64_t heads = 0;
  int64_t kv_heads = 0;
  int64_t head_size = 0;
  int64_t vocabulary = 0;
  int64_t context_length = 0;  ///< What the model was trained for, in tokens.
  double rope_base = 0;
  double norm_epsilon = 0;
  bool tied_embeddings = false;  ///< No output matrix: the token embedding is used for both.
};

/// Every known shape, smallest first.
std::span<const ModelShape> model_shapes();

/// Null when unknown. The name is lower case.
const ModelShape* find_model_shape(std::string_view name);

/// The one shape the script mode is made for.
inline constexpr std::string_view kScriptShape = "tiny";

}  // namespace assay
