#include "run/repeat.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "run/planner.h"

namespace assay {
namespace {

using ::testing::ElementsAre;

RunMeta planned(std::vector<std::string> levels, int64_t restarts = 1) {
  RunSpec spec;
  spec.prompt = "hello";
  spec.repetitions = 4;
  spec.restarts = restarts;
  if (levels.size() > 1) spec.lists["max-concurrency"] = std::move(levels);
  RunMeta meta;
  meta.cells.resize(1);
  meta.cells[0].id = "local:openai:m";
  EXPECT_TRUE(make_plan(spec, meta));
  return meta;
}

std::vector<int64_t> levels_in(const RunMeta& meta) {
  std::vector<int64_t> levels;
  for (const Leg& leg : meta.legs) {
    if (leg.phase == Phase::kMeasure) levels.push_back(leg.concurrency);
  }
  return levels;
}

TEST(Levels, EachHasALegAndAStageOfItsOwn) {
  const RunMeta meta = planned({"1", "2", "4"});
  EXPECT_THAT(levels_in(meta), ElementsAre(1, 2, 4));
  ASSERT_EQ(meta.calls.size(), 1U + 3 * 4);  // One warm-up call before them.
  int64_t stage = -1;
  for (const PlannedCall& call : meta.calls) {
    EXPECT_GE(call.stage, stage);
    stage = call.stage;
    EXPECT_EQ(call.stage, call.leg);  // The warm-up is leg and stage 0.
  }
  EXPECT_EQ(stage, 3);
}

TEST(Levels, OneChangesNothing) { EXPECT_THAT(levels_in(planned({})), ElementsAre(1)); }

TEST(Levels, AreNeverMoreThanALegHasCalls) {
  RunMeta meta = planned({});
  repeat_for_levels({1, 16}, meta);
  EXPECT_THAT(levels_in(meta), ElementsAre(1, 4));
}

TEST(Levels, ComeBackAfterEachLoadOfTheModel) {
  const RunMeta meta = planned({"1", "2"}, 2);
  EXPECT_THAT(levels_in(meta), ElementsAre(1, 2));
  EXPECT_EQ(meta.calls.size(), 2U * (1 + 2 * 4));
  EXPECT_EQ(meta.calls.back().restart, 1);
}

TEST(Levels, LeaveSkippedLegsSingle) {
  RunMeta meta = planned({});
  meta.legs.back().skip = "budget";
  const size_t calls = meta.calls.size();
  repeat_for_levels({2, 4}, meta);
  EXPECT_EQ(meta.calls.size(), calls);
  EXPECT_THAT(levels_in(meta), ElementsAre(2));
}

}  // namespace
}  // namespace assay
