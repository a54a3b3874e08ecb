#include "run/matrix.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "model/options.h"

namespace assay {
namespace {

using ::testing::ElementsAre;
using ::testing::HasSubstr;

Result<void> give(RunSpec& spec, std::string_view name, std::vector<std::string> values) {
  for (BoundOption& option : bind_options(spec)) {
    if (option.info.name == name) return option.set(values);
  }
  return fail(Errc::kNotFound, "no such option");
}

std::vector<std::string> shown(RunSpec& spec, std::string_view name) {
  for (const BoundOption& option : bind_options(spec)) {
    if (option.info.name == name) return option.get();
  }
  return {};
}

RunSpec asking() {
  RunSpec spec;
  spec.prompt = "hello";
  return spec;
}

std::vector<std::string> names(const RunSpec& spec) {
  std::vector<std::string> found;
  const auto matrix = matrix_of(spec);
  if (!matrix) return {matrix.error().message};
  for (const Variant& variant : *matrix) found.push_back(variant.name);
  return found;
}

TEST(OptionLists, SeveralValuesAreKeptAndGivenBackAsTheyWere) {
  RunSpec spec = asking();
  ASSERT_TRUE(give(spec, "gpu-layers", {"0, 16,99"}));
  EXPECT_THAT(spec.lists.at("gpu-layers"), ElementsAre("0", "16", "99"));
  EXPECT_THAT(shown(spec, "gpu-layers"), ElementsAre("0,16,99"));
  ASSERT_TRUE(give(spec, "cache-type-k", {"f16", "q8_0"}));  // As a configuration file has it.
  EXPECT_THAT(shown(spec, "cache-type-k"), ElementsAre("f16,q8_0"));
  ASSERT_TRUE(give(spec, "gpu-layers", {"7"}));
  EXPECT_EQ(spec.gpu_layers, 7);
  EXPECT_FALSE(spec.lists.contains("gpu-layers"));
  // A copy has lists of its own.
  RunSpec copy = spec;
  ASSERT_TRUE(give(copy, "cache-type-k", {"f32"}));
  EXPECT_TRUE(spec.lists.contains("cache-type-k"));
}

TEST(OptionLists, NameTheValueThatIsWrong) {
  RunSpec spec = asking();
  const auto bad = give(spec, "threads", {"2,many"});
  ASSERT_FALSE(bad);
  EXPECT_THAT(bad.error().message, HasSubstr("'many' is no whole number"));
  const auto twice = give(spec, "threads", {"2,4,2"});
  ASSERT_FALSE(twice);
  EXPECT_THAT(twice.error().message, HasSubstr("'2' is given twice"));
  const auto single = give(spec, "seed", {"1,2"});
  EXPECT_FALSE(single);
}

TEST(OptionLists, SurviveTheLedgersOptions) {
  RunSpec spec = asking();
  ASSERT_TRUE(give(spec, "threads", {"2,4"}));
  EXPECT_THAT(changed_options_json(spec), HasSubstr(R"("threads":"2,4")"));
}

TEST(Matrix, IsEveryCombinationWithEqualLoadsTogether) {
  RunSpec spec = asking();
  ASSERT_TRUE(give(spec, "temperature", {"0,0.7"}));
  ASSERT_TRUE(give(spec, "context-length", {"2048,8192"}));
  EXPECT_THAT(
      names(spec),
      ElementsAre("context-length=2048,temperature=0", "context-length=2048,temperature=0.7",
                  "context-length=8192,temperature=0", "context-length=8192,temperature=0.7"));
  const auto matrix = matrix_of(spec);
  ASSERT_TRUE(matrix);
  EXPECT_EQ((*matrix)[2].spec.context_length, 8192);
  EXPECT_EQ((*matrix)[2].spec.temperature, 0);
  EXPECT_TRUE((*matrix)[2].spec.lists.empty());
  EXPECT_THAT((*matrix)[1].matrix, ElementsAre("context-length=2048", "temperature=0.7"));
}

TEST(Matrix, LevelsOfConcurrencyAreNoPartOfIt) {
  RunSpec spec = asking();
  EXPECT_TRUE(names(spec).empty());
  ASSERT_TRUE(give(spec, "max-concurrency", {"1,4,2"}));
  EXPECT_TRUE(names(spec).empty());
  EXPECT_THAT(levels_of(spec), ElementsAre(1, 2, 4));
}

TEST(Matrix, HasABound) {
  RunSpec spec = asking();
  std::string many = "1";
  for (int i = 2; i <= 16; ++i) many += "," + std::to_string(i);
  ASSERT_TRUE(give(spec, "threads", {many}));
  ASSERT_TRUE(give(spec, "max-tokens", {many}));
  EXPECT_EQ(names(spec).size(), kMostCombinations);
  ASSERT_TRUE(give(spec, "top-k", {"1,2"}));
  EXPECT_THAT(names(spec), ElementsAre(HasSubstr("too many combinations: 16 of --threads")));
}

TEST(Matrix, NamesACombinationThatCannotBeAskedFor) {
  RunSpec spec = asking();
  ASSERT_TRUE(give(spec, "top-p", {"0.5,3"}));
  EXPECT_THAT(names(spec), ElementsAre(HasSubstr("top-p=3: --top-p must be above 0")));
  RunSpec offload = asking();
  ASSERT_TRUE(give(offload, "gpu-offload", {"0,0.5,1"}));
  EXPECT_EQ(names(offload).size(), 3U);
}

TEST(Matrix, ExcludesVariantsAndFilesOfCells) {
  RunSpec spec = asking();
  ASSERT_TRUE(give(spec, "threads", {"2,4"}));
  spec.ab = {"a=temperature=0", "b=temperature=1"};
  EXPECT_THAT(check_spec(spec), ElementsAre(HasSubstr("--ab has variants of its own")));
  spec.ab.clear();
  spec.prompt.clear();
  spec.cells_yaml = "cells.yaml";
  EXPECT_THAT(check_spec(spec), ElementsAre(HasSubstr("--threads 2,4 has several")));
  RunSpec variants = asking();
  variants.ab = {"a=temperature=0,1", "b=temperature=2"};
  const auto wrong = variants_of(variants);
  ASSERT_FALSE(wrong);
  EXPECT_THAT(wrong.error().message, HasSubstr("temperature takes one value"));
}

TEST(Goodput, AsksForAsManyCallsAsCanShowIt) {
  RunSpec spec = asking();
  EXPECT_EQ(usual_repetitions(spec), 10);
  spec.goodput = "ttft:2s";
  EXPECT_EQ(usual_repetitions(spec), 29);  // 0.9^29 < 0.05 <= 0.9^28
  spec.repetitions = 3;
  EXPECT_EQ(usual_repetitions(spec), 3);
  spec.request_rate = 1;
  EXPECT_THAT(check_spec(spec), ElementsAre(HasSubstr("--goodput is judged at levels")));
}

}  // namespace
}  // namespace assay
