#include <gtest/gtest.h>

#include <algorithm>
#include <string>
#include <unordered_set>

#include "base/text.h"
#include "gguf/dummy_model.h"
#include "gguf/model_shape.h"
#include "gguf/tensor_plan.h"
#include "gguf/vocabulary.h"

namespace assay {
namespace {

TEST(GgufVocabulary, IsFullUniqueAndEndsInFourControlTokens) {
  for (const ModelShape& shape : model_shapes()) {
    const Vocabulary vocabulary = build_vocabulary(shape.vocabulary);
    ASSERT_EQ(static_cast<int64_t>(vocabulary.tokens.size()), shape.vocabulary);
    ASSERT_EQ(vocabulary.kinds.size(), vocabulary.tokens.size());
    const std::unordered_set<std::string> unique(vocabulary.tokens.begin(),
                                                 vocabulary.tokens.end());
    EXPECT_EQ(unique.size(), vocabulary.tokens.size());
    EXPECT_EQ(std::ranges::count(vocabulary.kinds, TokenKind::kControl), 4);
    EXPECT_EQ(vocabulary.tokens[static_cast<size_t>(vocabulary.end_of_turn)], "<|im_end|>");
    EXPECT_GE(vocabulary.end_of_turn, shape.vocabulary - 4);
  }
}

TEST(GgufVocabulary, ReachesEveryLongerTokenByOneMergeOfTwoTokens) {
  const Vocabulary vocabulary = build_vocabulary(49152);
  ASSERT_EQ(vocabulary.merges.size(), vocabulary.tokens.size() - 256 - 4);
  for (const std::string& merge : vocabulary.merges) {
    const auto parts = split(merge, ' ');
    ASSERT_EQ(parts.size(), 2U);
    EXPECT_TRUE(vocabulary.ids.contains(parts[0]));
    EXPECT_TRUE(vocabulary.ids.contains(parts[1]));
    EXPECT_TRUE(vocabulary.ids.contains(parts[0] + parts[1]));
  }
}

TEST(GgufVocabulary, OfTheScriptShapeHoldsTheScript) {
  const Vocabulary vocabulary = build_vocabulary(find_model_shape(kScriptShape)->vocabulary);
  EXPECT_EQ(vocabulary.kinds[static_cast<size_t>(vocabulary.id_of("\n"))], TokenKind::kText);
  EXPECT_EQ(vocabulary.tokens[static_cast<size_t>(vocabulary.id_of(" mountain"))], "Ġmountain");
  EXPECT_EQ(split(kScriptAnswer, ' ').size(), 12U);
}

TEST(GgufTensorPlan, MixesQ4KMAsLlamaCppDoes) {
  const auto types = [](std::string_view shape) {
    std::unordered_map<std::string, GgmlType> by_name;
    for (const TensorPlan& tensor : plan_tensors(*find_model_shape(shape), Quantisation::kQ4_K_M)) {
      by_name[tensor.name] = tensor.type;
    }
    return by_name;
  };
  // 16 layers: the first two, the last two, and every third between, from layer 4.
  auto llama = types("llama-3.2-1b");
  EXPECT_EQ(llama.at("token_embd.weight"), GgmlType::kQ6_K);
  for (const int layer : {0, 1, 4, 7, 10, 13, 14, 15}) {
    const std::string block = "blk." + std::to_string(layer);
    EXPECT_EQ(llama.at(block + ".attn_v.weight"), GgmlType::kQ6_K) << layer;
    EXPECT_EQ(llama.at(block + ".ffn_down.weight"), GgmlType::kQ6_K) << layer;
  }
  for (const int layer : {2, 3, 5, 6, 8, 9, 11, 12}) {
    EXPECT_EQ(llama.at("blk." + std::to_string(layer) + ".ffn_down.weight"), GgmlType::kQ4_K);
  }
  EXPECT_EQ(llama.at("blk.0.attn_q.weight"), GgmlType::kQ4_K);
  EXPECT_EQ(llama.at("blk.0.attn_norm.weight"), GgmlType::kF32);

  // Rows of 896 are no multiple of 256; rows of 4864 are.
  auto qwen = types("qwen2.5-0.5b");
  EXPECT_EQ(qwen.at("token_embd.weight"), GgmlType::kQ8_0);
  EXPECT_EQ(qwen.at("blk.0.attn_v.weight"), GgmlType::kQ8_0);
  EXPECT_EQ(qwen.at("blk.0.attn_q.weight"), GgmlType::kQ5_0);
  EXPECT_EQ(qwen.at("blk.0.ffn_down.weight"), GgmlType::kQ6_K);
  EXPECT_EQ(qwen.at("blk.0.attn_q.bias"), GgmlType::kF32);

  // An output matrix of its own takes the larger type; the embedding does not.
  auto untied = types("llama-3.1-8b");
  EXPECT_EQ(untied.at("token_embd.weight"), GgmlType::kQ4_K);
  EXPECT_EQ(untied.at("output.weight"), GgmlType::kQ6_K);
}

}  // namespace
}  // namespace assay
