#include "gguf/weights.h"

#include <cmath>
#include <vector>

#include "gguf/quantise.h"
#include "gguf/random_blocks.h"

// How random text is kept printable without touching shapes or speed.
//
// Channel 0 of the residual stream carries a pin: a token's embedding has a fixed value there, no
// layer sees it (the layers' norm weights are 0 at channel 0), and no layer writes to it (row 0 of
// attn_output and ffn_down is 0). So column 0 of the matrix that makes the logits is a bias, which
// the output norm's weight at channel 0 lifts to about kLift for a token of pin 1. Logits are
// otherwise of standard deviation about 1: words are all about equally likely, and tokens of lower
// pin never come.
//
// With tied embeddings the bias column is the pin column, so after a token of low pin the bias is
// weaker for one step. It is enough even then.
//
// EOS has a low pin: text runs to the length asked for.

namespace assay {
namespace {

constexpr double kLift = 40;

float pin_of(TokenKind kind) {
  switch (kind) {
    case TokenKind::kWord:
      return 1;
    case TokenKind::kText:
      return 0.5;
    case TokenKind::kByte:
    case TokenKind::kControl:
      break;
  }
  return 0.25;
}

// A vector of one value, with another in channel 0.
class VectorFiller : public TensorFiller {
 public:
  VectorFiller(int64_t values, float first, float rest)
      : values_(static_cast<size_t>(values), rest) {
    values_[0] = first;
  }

  void fill_rows(std::span<uint8_t> out) override { quantise(GgmlType::kF32, values_, out); }

 private:
  std::vector<float> values_;
};

class MatrixFiller : public TensorFiller {
 public:
  MatrixFiller(const TensorPlan& tensor, double deviation, uint64_t seed)
      : blocks_(tensor.type, deviation),
        random_(seed),
        row_bytes_(static_cast<size_t>(tensor.row_bytes())),
        zero_first_row_(tensor.role == TensorRole::kAttentionWrite ||
                        tensor.role == TensorRole::kFeedForwardWrite) {}

  void fill_rows(std::span<uint8_t> out) override {
    blocks_.fill(random_, out);
    // A block of zero bytes is zero in every format.
    if (zero_first_row_) std::fill_n(out.begin(), row_bytes_, uint8_t{0});
    zero_first_row_ = false;
  }

 private:
  RandomBlocks blocks_;
  SplitMix64 random_;
  size_t row_bytes_;
  bool zero_first_row_;
};

// One row for each token. The block that holds channel 0 is quantised from floats, since its scale
// has to reach the pin; the rest is filled as in any matrix.
class TokenRowFiller : public TensorFiller {
 public:
  TokenRowFiller(const TensorPlan& tensor, double deviation, uint64_t seed, std::vector<float> pins)
      : type_(tensor.type),
        blocks_(tensor.type, deviation),
        random_(seed),
        deviation_(deviation),
        row_bytes_(static_cast<size_t>(tensor.row_bytes())),
        pins_(std::move(pins)),
        first_(static_cast<size_t>(ggml_format(tensor.type).block_values)) {}

  void fill_rows(std::span<uint8_t> out) override {
    const auto first_bytes = static_cast<size_t>(ggml_format(type_).block_bytes);
    for (; !out.empty(); out = out.subspan(row_bytes_)) {
      for (float& value : first_) {
        value = static_cast<float>((random_.unit() * 2 - 1) * std::sqrt(3.0) * deviation_);
      }
      first_[0] = pins_[token_++];
      quantise(type_, first_, out.first(first_bytes));
      blocks_.fill(random_, out.subspan(first_bytes, row_bytes_ - first_bytes));
    }
  }

 private:
  GgmlType type_;
  RandomBlocks blocks_;
  SplitMix64 random_;
  double deviation_;
  size_t row_bytes_;
  std::vector<float> pins_;
  std::vector<float> first_;
  size_t token_ = 0;
};

std::vector<float> token_pins(const ModelShape& shape, const Vocabulary& vocabulary,
                              TensorRole role) {
  // An embedding that makes no logits pins every token alike.
  const bool alike = role == TensorRole::kTokenEmbedding && !shape.tied_embeddings;
  std::vector<float> pins;
  pins.reserve(vocabulary.kinds.size());
  for (const TokenKind kind : vocabulary.kinds) pins.push_back(alike ? 1 : pin_of(kind));
  return pins;
}

// The size of an attention result relative to its input's. Every position adds about the same mean
// of what came before, so at full size the states of a deep model grow alike and it repeats itself.
constexpr double kAttentionSize = 0.25;

// The root mean square of the residual stream at the end, roughly: each layer adds a feed-forward
// result of about 0.6 and a small attention result.
double residual_size(const ModelShape& shape) {
  return 0.65 * std::sqrt(static_cast<double>(shape.layers));
}

}  // namespace

std::unique_ptr<TensorFiller> random_filler(const ModelShape& shape, const Vocabulary& vocabulary,
                                            const TensorPlan& tensor, uint64_t seed) {
  const double deviation = 1 / std::sqrt(static_cast<double>(tensor.columns));
  switch (tensor.role) {
    case TensorRole::kTokenEmbedding:
    case TensorRole::kOutput:
      return std::make_unique<TokenRowFiller>(tensor, deviation, seed,
                                              token_pins(shape, vocabulary, tensor.role));
    case TensorRole::kOutputNorm: {
      const double lift = kLift * residual_size(shape);
      return std::make_unique<VectorFiller>(tensor.columns, static_cast<float>(lift), 1.0F);
    }
    case TensorRole::kLayerNorm:
      return std::make_unique<VectorFiller>(tensor.columns, 0.0F, 1.0F);
    case TensorRole::kHeadNorm:
      return std::make_unique<VectorFiller>(tensor.columns, 1.0F, 1.0F);
    case TensorRole::kBias:
      return std::make_unique<MatrixFiller>(tensor, 0.1, seed);
    case TensorRole::kAttentionWrite:
      return std::make_unique<MatrixFiller>(tensor, deviation * kAttentionSize, seed);
    case TensorRole::kProjection:
    case TensorRole::kFeedForwardWrite:
      return std::make_unique<MatrixFiller>(tensor, deviation, seed);
  }
  return nullptr;
}

}  // namespace assay
