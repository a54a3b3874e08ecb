#include "run/model_filter.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace assay {
namespace {

using testing::HasSubstr;
using testing::IsEmpty;

ModelInfo qwen() {
  ModelInfo model;
  model.name = "qwen3:8b-q4_K_M";
  model.quantization = "Q4_K_M";
  model.architecture = "qwen3";
  model.parameters = 8'190'000'000;
  model.bytes = 5'200'000'000;
  model.max_context = 40960;
  model.vision = false;
  model.tools = true;
  return model;
}

std::string judged(const RunSpec& spec, const ModelInfo& model = qwen()) {
  const auto filter = ModelFilter::of(spec);
  if (!filter) return "fault: " + filter.error().message;
  return filter->refuses(model);
}

TEST(ModelFilter, WithoutConditionsEveryModelPasses) {
  EXPECT_THAT(judged({}), IsEmpty());
  EXPECT_THAT(judged({}, ModelInfo{}), IsEmpty());
}

TEST(ModelFilter, QuantizationsAndArchitecturesAreWholeWordsInAnyCase) {
  RunSpec spec;
  spec.quants = {"q8_0,q4"};
  spec.arch = {"Qwen3"};
  EXPECT_THAT(judged(spec), IsEmpty());
  spec.quants = {"q4_k"};
  EXPECT_THAT(judged(spec), IsEmpty());
  ModelInfo other = qwen();
  other.architecture = "qwen3moe";
  EXPECT_EQ(judged(spec, other), "--arch Qwen3: it is qwen3moe");
  spec.arch = {};
  spec.quants = {"f16"};
  other.quantization = "BF16";
  EXPECT_EQ(judged(spec, other), "--quants f16: it is BF16");
  spec.quants = {"q5", "q6"};
  EXPECT_EQ(judged(spec), "--quants q5,q6: it is Q4_K_M");
}

TEST(ModelFilter, SizesAreLabelsOrSpans) {
  RunSpec spec;
  for (const char* fits : {"8B", "3B,8b", "7B-9B", "8.2B"}) {
    spec.params = {fits};
    EXPECT_THAT(judged(spec), IsEmpty()) << fits;
  }
  for (const char* other : {"7B", "9.5B", "3B-7B", "350M"}) {
    spec.params = {other};
    EXPECT_THAT(judged(spec), HasSubstr("it has 8.2B")) << other;
  }
}

TEST(ModelFilter, ContextAndSizeAreLimits) {
  RunSpec spec;
  spec.min_context = 40960;
  spec.max_size = "5.2GB";
  EXPECT_THAT(judged(spec), IsEmpty());
  spec.min_context = 65536;
  EXPECT_THAT(judged(spec), HasSubstr("it has 40960"));
  spec.min_context.reset();
  spec.max_size = "5";
  EXPECT_THAT(judged(spec), HasSubstr("it has 5.2 GB"));
}

TEST(ModelFilter, AbilitiesHaveToBeKnown) {
  RunSpec spec;
  spec.only_tools = true;
  EXPECT_THAT(judged(spec), IsEmpty());
  EXPECT_EQ(judged(spec, ModelInfo{}), "--only-tools: it is not known to call tools");
  spec.only_vision = true;
  EXPECT_EQ(judged(spec), "--only-vision: it does not take images");
}

TEST(ModelFilter, WhatIsNotKnownHoldsNoCondition) {
  RunSpec spec;
  spec.params = {"8B"};
  EXPECT_EQ(judged(spec, ModelInfo{}), "--params: its number of parameters is not known");
  spec = {};
  spec.max_size = "8GB";
  EXPECT_EQ(judged(spec, ModelInfo{}), "--max-size: its size is not known");
}

TEST(ModelFilter, NamesMatchAnywhereAndExclusionWins) {
  RunSpec spec;
  spec.include_models = {"^llama", "QWEN3"};
  EXPECT_THAT(judged(spec), IsEmpty());
  spec.exclude_models = {":8b"};
  EXPECT_EQ(judged(spec), "--exclude-models :8b");
  spec = {};
  spec.include_models = {"^llama"};
  EXPECT_THAT(judged(spec), HasSubstr("does not match"));
}

TEST(ModelFilter, ARegularExpressionThatIsNoneIsAFault) {
  RunSpec spec;
  spec.include_models = {"qwen(3"};
  EXPECT_THAT(judged(spec), HasSubstr("fault: --include-models 'qwen(3' is no regular expression"));
  spec = {};
  spec.exclude_models = {"*"};
  EXPECT_THAT(judged(spec), HasSubstr("fault: --exclude-models"));
}

TEST(ModelFilter, ASpanThatIsEmptyAndASizeThatIsNoneAreFaults) {
  RunSpec spec;
  spec.params = {"8B-3B"};
  EXPECT_THAT(judged(spec), HasSubstr("fault: --params: '8B-3B' is empty"));
  spec = {};
  spec.max_size = "big";
  EXPECT_THAT(judged(spec), HasSubstr("fault: --max-size: 'big' is no size"));
}

}  // namespace
}  // namespace assay
