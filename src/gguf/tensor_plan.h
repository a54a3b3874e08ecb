#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "gguf/ggml_format.h"
#include "gguf/model_shape.h"

namespace assay {

/// What a tensor does decides how its weights are made (see weights.h).
enum class TensorRole : uint8_t {
  kTokenEmbedding,
  kOutput,
  kOutputNorm,
  kLayerNorm,
  kHeadNorm,  ///< Of a head's query or key.
  kBias,
  kProjection,        ///< Reads the residual stream.
  kAttentionWrite,    ///< Its result is added to the residual stream.
  kFeedForwardWrite,  ///< So is this one's.
};

/// One tensor of the file. A row is `columns` values long and contiguous; a vector has one row.
struct TensorPlan {
  std::string name;
  TensorRole role{};
  GgmlType type{};
  int64_t columns = 0;
  int64_t rows = 1;
  bool vector = false;

  [[nodiscard]] int64_t values() const { return columns * rows; }
  [[nodiscard]] int64_t row_bytes() const { return ggml_bytes(type, columns); }
  [[nodiscard]] int64_t bytes() const { return row_bytes() * rows; }
};

/// All tensors in file order, with the types llama.cpp's quantiser gives them by default for this
/// quantisation: vectors f32, more bits for the output and for some layers of the k-quant mix, and
/// the next larger 32-value format where a row is no multiple of 256.
std::vector<TensorPlan> plan_tensors(const ModelShape& shape, Quantisation quantisation);

/// The sum of all tensors' values.
int64_t parameter_count(const ModelShape& shape);

}  // namespace assay
