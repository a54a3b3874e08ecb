#include "run/variants.h"

#include <gtest/gtest.h>

#include "run/planner.h"

namespace assay {
namespace {

RunSpec asking(std::vector<std::string> ab) {
  RunSpec spec;
  spec.prompt = "hello";
  spec.repetitions = 4;
  spec.warmup = 1;
  spec.ab = std::move(ab);
  return spec;
}

TEST(Variants, SetTheirOptionsOverTheRuns) {
  RunSpec spec = asking({"cold=temperature=0 max-tokens=8", "hot=temperature=1.5"});
  spec.max_tokens = 64;
  const auto variants = variants_of(spec);
  ASSERT_TRUE(variants) << variants.error().message;
  ASSERT_EQ(variants->size(), 2U);
  EXPECT_EQ((*variants)[0].name, "cold");
  EXPECT_EQ((*variants)[0].spec.max_tokens, 8);
  EXPECT_EQ((*variants)[0].spec.temperature, 0);
  EXPECT_EQ((*variants)[1].spec.max_tokens, 64);
  EXPECT_EQ((*variants)[1].spec.temperature, 1.5);
}

TEST(Variants, KeepColonsAndEqualSignsOfValues) {
  const auto variants = variants_of(asking({"a=model=llama3:q4_0", "b=target=http://h:1/?x=y"}));
  ASSERT_TRUE(variants) << variants.error().message;
  EXPECT_EQ((*variants)[0].spec.models, std::vector<std::string>{"llama3:q4_0"});
  EXPECT_EQ((*variants)[1].spec.targets, std::vector<std::string>{"http://h:1/?x=y"});
}

TEST(Variants, NameWhatIsWrong) {
  const auto message = [](std::vector<std::string> ab) {
    const auto variants = variants_of(asking(std::move(ab)));
    return variants ? std::string("fine") : variants.error().message;
  };
  EXPECT_NE(message({"a=model=x"}).find("2 to 8 variants"), std::string::npos);
  EXPECT_NE(message({"a=model=x", "a=model=y"}).find("twice"), std::string::npos);
  EXPECT_NE(message({"a", "b=model=y"}).find("NAME=OPT=VALUE"), std::string::npos);
  EXPECT_NE(message({"a=", "b=model=y"}).find("no option is given"), std::string::npos);
  EXPECT_NE(message({"a=modle=x", "b=model=y"}).find("'modle' is no option"), std::string::npos);
  EXPECT_NE(message({"a=repetitions=3", "b=model=y"}).find("no option of a variant"),
            std::string::npos);
  EXPECT_NE(message({"a=temperature=warm", "b=model=y"}).find("temperature"), std::string::npos);
}

TEST(Interleaving, GoesBackAndForth) {
  const RunSpec spec = asking({"a=temperature=0", "b=temperature=1"});
  const auto variants = variants_of(spec);
  ASSERT_TRUE(variants);
  RunMeta meta;
  meta.cells.resize(2);
  meta.cells[0].id = "x@a";
  meta.cells[1].id = "x@b";
  ASSERT_TRUE(make_plan(spec, meta, *variants));
  std::string order;
  for (const PlannedCall& call : meta.calls) {
    const Leg& leg = meta.legs[static_cast<size_t>(call.leg)];
    if (leg.phase == Phase::kMeasure) order += leg.cell == 0 ? 'A' : 'B';
  }
  EXPECT_EQ(order, "ABBAABBA");
  EXPECT_NE(meta.legs.front().settings_hash, meta.legs.back().settings_hash);
}

TEST(Interleaving, KeepsTheLoadsOfTheModelsApart) {
  RunSpec spec = asking({"a=temperature=0", "b=temperature=1"});
  spec.restarts = 3;
  spec.warmup = 0;
  const auto variants = variants_of(spec);
  ASSERT_TRUE(variants);
  RunMeta meta;
  meta.cells.resize(2);
  ASSERT_TRUE(make_plan(spec, meta, *variants));
  ASSERT_EQ(meta.calls.size(), 3U * 2 * 4);
  for (size_t i = 0; i < meta.calls.size(); ++i) {
    EXPECT_EQ(meta.calls[i].restart, static_cast<int64_t>(i / 8));
    EXPECT_EQ(meta.calls[i].stage, static_cast<int64_t>(i / 8));
  }
}

}  // namespace
}  // namespace assay
