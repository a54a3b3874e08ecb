#include "run/sustain.h"

#include <gtest/gtest.h>

#include "run/planner.h"

namespace assay {
namespace {

RunMeta plan_of(RunSpec spec, std::optional<double> decode_tps) {
  RunMeta meta;
  Cell cell;
  cell.id = "local:llamacpp:m";
  cell.kind = "llamacpp";
  cell.model = "m";
  cell.estimated_decode_tps = decode_tps;
  cell.estimated_prefill_tps = decode_tps;
  meta.cells = {cell};
  EXPECT_TRUE(make_plan(spec, meta));
  sustain_legs(spec, meta);
  return meta;
}

TEST(Sustain, WithoutItAPlanStaysAsItIs) {
  RunSpec spec;
  spec.output_len = {64};
  const RunMeta meta = plan_of(spec, 100);
  for (const Leg& leg : meta.legs) EXPECT_FALSE(leg.sustain_s);
}

TEST(Sustain, OneLegGoesOnForTheTime) {
  RunSpec spec;
  spec.sustain = std::chrono::minutes(10);
  spec.max_concurrency = 4;
  EXPECT_TRUE(needs_estimates(spec));
  const RunMeta meta = plan_of(spec, 128);  // A bit above a second a call.
  ASSERT_EQ(meta.legs.size(), 2U);
  EXPECT_EQ(meta.legs[0].phase, Phase::kWarmup);
  EXPECT_FALSE(meta.legs[0].sustain_s);
  const Leg& leg = meta.legs[1];
  EXPECT_DOUBLE_EQ(*leg.sustain_s, 600);
  EXPECT_EQ(leg.concurrency, 4);
  EXPECT_GT(leg.calls, 4 * 600) << "more than there is time for";
  EXPECT_LT(leg.calls, 4 * 1000);
  ASSERT_EQ(static_cast<int64_t>(meta.calls.size()), leg.calls + meta.legs[0].calls);
  EXPECT_LT(meta.calls[0].stage, meta.calls.back().stage);
  EXPECT_EQ(meta.calls.back().run_idx, leg.calls - 1);
}

TEST(Sustain, EachLegHasAStageOfItsOwnAndABound) {
  RunSpec spec;
  spec.sustain = std::chrono::hours(24);
  spec.input_len = {32, 64};
  spec.output_len = {1};
  const RunMeta meta = plan_of(spec, 1e9);
  int64_t sustained = 0;
  for (const Leg& leg : meta.legs) {
    if (!leg.sustain_s) continue;
    ++sustained;
    EXPECT_EQ(leg.calls, kMostSustained);
  }
  EXPECT_EQ(sustained, 2);
  for (size_t i = 1; i < meta.calls.size(); ++i) {
    const bool other_leg = meta.calls[i].leg != meta.calls[i - 1].leg;
    EXPECT_EQ(meta.calls[i].stage, meta.calls[i - 1].stage + (other_leg ? 1 : 0));
  }
}

TEST(LegClocks, ALegsTimeBeginsWithItsFirstCallAndLeavesPausesOut) {
  constexpr MonoNs kSecond = 1'000'000'000;
  LegClocks clocks;
  EXPECT_FALSE(clocks.is_up(0, 10, 100 * kSecond));
  EXPECT_FALSE(clocks.is_up(0, 10, 109 * kSecond));
  EXPECT_FALSE(clocks.is_up(1, 10, 110 * kSecond)) << "another leg";
  clocks.shift(5 * kSecond);
  EXPECT_FALSE(clocks.is_up(0, 10, 114 * kSecond));
  EXPECT_TRUE(clocks.is_up(0, 10, 115 * kSecond));
}

}  // namespace
}  // namespace assay
