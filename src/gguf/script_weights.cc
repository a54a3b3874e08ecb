#include <algorithm>
#include <array>
#include <vector>

#include "base/check.h"
#include "gguf/dummy_model.h"
#include "gguf/quantise.h"
#include "gguf/weights.h"

// A model that knows one answer. The layers compute as in any model but add nothing to the residual
// stream, so the last state is the last token's embedding. Channel 0 is 1 for every token; each
// token that has a successor owns one more channel. The output row of a successor reads its
// predecessor's channel, so it wins by far; the first counting word reads channel 0 and so follows
// whatever has no successor. Channels and rows are multiples of each other, so every format holds
// them exactly.

namespace assay {
namespace {

constexpr float kSize = 4;
constexpr float kSuccessorWeight = 4;
constexpr float kDefaultWeight = 2;

struct Succession {
  int32_t from;
  int32_t to;
};

std::vector<int32_t> token_ids(const Vocabulary& vocabulary, std::string_view text) {
  std::vector<int32_t> ids;
  for (size_t at = 0; at < text.size();) {
    size_t end = text.find(' ', at + 1);
    if (end == std::string_view::npos) end = text.size();
    ids.push_back(vocabulary.id_of(text.substr(at, end - at)));
    at = end;
  }
  return ids;
}

// The line end that closes every chat prompt, the answer, EOS; and the counting words in a ring.
std::vector<Succession> successions(const Vocabulary& vocabulary) {
  std::vector<Succession> pairs;
  int32_t from = vocabulary.id_of("\n");
  for (const int32_t to : token_ids(vocabulary, kScriptAnswer)) {
    pairs.push_back({from, to});
    from = to;
  }
  pairs.push_back({from, vocabulary.end_of_turn});
  const std::vector<int32_t> ring = token_ids(vocabulary, kScriptCycle);
  for (size_t i = 0; i < ring.size(); ++i) {
    pairs.push_back({ring[i], ring[(i + 1) % ring.size()]});
  }
  return pairs;
}

class ScriptRows : public TensorFiller {
 public:
  ScriptRows(const TensorPlan& tensor, const Vocabulary& vocabulary)
      : type_(tensor.type),
        row_bytes_(static_cast<size_t>(tensor.row_bytes())),
        output_(tensor.role == TensorRole::kOutput),
        default_token_(token_ids(vocabulary, kScriptCycle).front()),
        pairs_(successions(vocabulary)),
        row_(static_cast<size_t>(tensor.columns)) {
    ASSAY_CHECK(pairs_.size() < row_.size());
  }

  void fill_rows(std::span<uint8_t> out) override {
    for (; !out.empty(); out = out.subspan(row_bytes_), ++token_) {
      std::ranges::fill(row_, 0.0F);
      if (!output_) row_[0] = kSize;
      if (output_ && token_ == default_token_) row_[0] = kDefaultWeight;
      for (size_t i = 0; i < pairs_.size(); ++i) {
        if (output_ && pairs_[i].to == token_) row_[i + 1] = kSuccessorWeight;
        if (!output_ && pairs_[i].from == token_) row_[i + 1] = kSize;
      }
      quantise(type_, row_, out.first(row_bytes_));
    }
  }

 private:
  GgmlType type_;
  size_t row_bytes_;
  bool output_;
  int32_t default_token_;
  std::vector<Succession> pairs_;
  std::vector<float> row_;
  int32_t token_ = 0;
};

class ZeroRows : public TensorFiller {
 public:
  void fill_rows(std::span<uint8_t> out) override { std::ranges::fill(out, uint8_t{0}); }
};

class OnesVector : public TensorFiller {
 public:
  void fill_rows(std::span<uint8_t> out) override {
    const std::vector<float> ones(out.size() / sizeof(float), 1.0F);
    quantise(GgmlType::kF32, ones, out);
  }
};

}  // namespace

std::unique_ptr<TensorFiller> script_filler(const ModelShape& shape, const Vocabulary& vocabulary,
                                            const TensorPlan& tensor, uint64_t seed) {
  switch (tensor.role) {
    case TensorRole::kTokenEmbedding:
    case TensorRole::kOutput:
      return std::make_unique<ScriptRows>(tensor, vocabulary);
    case TensorRole::kAttentionWrite:
    case TensorRole::kFeedForwardWrite:
      return std::make_unique<ZeroRows>();
    case TensorRole::kOutputNorm:
    case TensorRole::kLayerNorm:
    case TensorRole::kHeadNorm:
      return std::make_unique<OnesVector>();
    case TensorRole::kBias:
    case TensorRole::kProjection:
      return random_filler(shape, vocabulary, tensor, seed);
  }
  return nullptr;
}

}  // namespace assay
