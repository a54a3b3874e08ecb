#include "gguf/tensor_plan.h"

#include <fmt/format.h>

#include <utility>

namespace assay {
namespace {

// llama.cpp's use_more_bits: the first and last eighth of the layers, and every third between.
bool gets_more_bits(int64_t layer, int64_t layers) {
  return layer < layers / 8 || layer >= 7 * layers / 8 || (layer - layers / 8) % 3 == 2;
}

GgmlType type_that_fits(GgmlType wanted, int64_t columns) {
  if (columns % ggml_format(wanted).block_values == 0) return wanted;
  return wanted == GgmlType::kQ4_K ? GgmlType::kQ5_0 : GgmlType::kQ8_0;
}

class Planner {
 public:
  Planner(const ModelShape& shape, Quantisation quantisation)
      : shape_(shape),
        mixed_(quantisation == Quantisation::kQ4_K_M),
        base_(quantisation_format(quantisation).base) {}

  std::vector<TensorPlan> plan() {
    const ModelShape& s = shape_;
    add_matrix("token_embd.weight", TensorRole::kTokenEmbedding, s.embedding, s.vocabulary,
               s.tied_embeddings ? head_type() : base_);
    for (int64_t layer = 0; layer < s.layers; ++layer) add_layer(layer);
    add_vector("output_norm.weight", TensorRole::kOutputNorm, s.embedding);
    if (!s.tied_embeddings) {
      add_matrix("output.weight", TensorRole::kOutput, s.embedding, s.vocabulary, head_type());
    }
    return std::move(tensors_);
  }

 private:
  // The type of the matrix that makes the logits.
  [[nodiscard]] GgmlType head_type() const {
    if (shape_.embedding % ggml_format(base_).block_values != 0) return GgmlType::kQ8_0;
    const bool small = base_ == GgmlType::kQ4_0 || base_ == GgmlType::kQ4_K;
    return small ? GgmlType::kQ6_K : base_;
  }

  void add_layer(int64_t layer) {
    const ModelShape& s = shape_;
    const int64_t query = s.heads * s.head_size;
    const int64_t kv = s.kv_heads * s.head_size;
    const GgmlType sensitive = mixed_ && gets_more_bits(layer, s.layers) ? GgmlType::kQ6_K : base_;
    const auto name = [&](std::string_view part) { return fmt::format("blk.{}.{}", layer, part); };
    constexpr TensorRole kProjection = TensorRole::kProjection;

    add_vector(name("attn_norm.weight"), TensorRole::kLayerNorm, s.embedding);
    add_matrix(name("attn_q.weight"), kProjection, s.embedding, query, base_);
    add_matrix(name("attn_k.weight"), kProjection, s.embedding, kv, base_);
    add_matrix(name("attn_v.weight"), kProjection, s.embedding, kv, sensitive);
    if (s.architecture == Architecture::kQwen2) {
      add_vector(name("attn_q.bias"), TensorRole::kBias, query);
      add_vector(name("attn_k.bias"), TensorRole::kBias, kv);
      add_vector(name("attn_v.bias"), TensorRole::kBias, kv);
    } else if (s.architecture == Architecture::kQwen3) {
      add_vector(name("attn_q_norm.weight"), TensorRole::kHeadNorm, s.head_size);
      add_vector(name("attn_k_norm.weight"), TensorRole::kHeadNorm, s.head_size);
    }
    add_matrix(name("attn_output.weight"), TensorRole::kAttentionWrite, query, s.embedding, base_);
    add_vector(name("ffn_norm.weight"), TensorRole::kLayerNorm, s.embedding);
    add_matrix(name("ffn_gate.weight"), kProjection, s.embedding, s.feed_forward, base_);
    add_matrix(name("ffn_up.weight"), kProjection, s.embedding, s.feed_forward, base_);
    add_matrix(name("ffn_down.weight"), TensorRole::kFeedForwardWrite, s.feed_forward, s.embedding,
               sensitive);
  }

  void add_matrix(std::string name, TensorRole role, int64_t columns, int64_t rows,
                  GgmlType wanted) {
    tensors_.push_back(TensorPlan{.name = std::move(name),
                                  .role = role,
                                  .type = type_that_fits(wanted, columns),
                                  .columns = columns,
                                  .rows = rows});
  }

  void add_vector(std::string name, TensorRole role, int64_t values) {
    tensors_.push_back(TensorPlan{.name = std::move(name),
                                  .role = role,
                                  .type = GgmlType::kF32,
                                  .columns = values,
                                  .rows = 1,
                                  .vector = true});
  }

  const ModelShape& shape_;
  const bool mixed_;
  const GgmlType base_;
  std::vector<TensorPlan> tensors_;
};

}  // namespace

std::vector<TensorPlan> plan_tensors(const ModelShape& shape, Quantisation quantisation) {
  return Planner(shape, quantisation).plan();
}

int64_t parameter_count(const ModelShape& shape) {
  int64_t total = 0;
  for (const TensorPlan& tensor : plan_tensors(shape, Quantisation::kF32)) total += tensor.values();
  return total;
}

}  // namespace assay
