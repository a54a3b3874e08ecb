#include "run/legs_so_far.h"

#include <gtest/gtest.h>

#include "../stats/synthetic.h"

namespace assay {
namespace {

using synthetic::Builder;
using synthetic::CallShape;

/// `n` calls of one leg whose times wobble by up to ± `wobble`.
std::vector<CallRecord> calls(int64_t n, double wobble, const CallShape& shape) {
  Builder b("prompt");
  b.leg(b.cell("m"), b.prompt("p"));
  b.add_ok(0, n, shape, wobble);
  return b.ledger.calls;
}

LegsSoFar after(const std::vector<CallRecord>& records) {
  LegsSoFar legs;
  for (const CallRecord& record : records) legs.add(record);
  return legs;
}

TEST(LegsSoFar, ALegOfTwentySteadyCallsIsNarrow) {
  EXPECT_FALSE(after(calls(19, 0.01, {})).narrow(0, 50, 0.05));
  EXPECT_TRUE(after(calls(20, 0.01, {})).narrow(0, 50, 0.05));
  EXPECT_FALSE(after(calls(20, 0.01, {})).narrow(0, 20, 0.05));
  EXPECT_FALSE(after(calls(20, 0.01, {})).narrow(1, 50, 0.05));
}

TEST(LegsSoFar, AWideIntervalIsNot) { EXPECT_FALSE(after(calls(20, 0.3, {})).narrow(0, 50, 0.01)); }

TEST(LegsSoFar, WithoutDecodeSpeedTheLatencyCounts) {
  const CallShape few{.tokens = 4};
  EXPECT_TRUE(after(calls(20, 0.01, few)).narrow(0, 50, 0.05));
  EXPECT_FALSE(after(calls(20, 0.3, few)).narrow(0, 50, 0.01));
}

TEST(LegsSoFar, FailedAndWarmUpCallsDoNotCount) {
  std::vector<CallRecord> records = calls(20, 0.01, {});
  records[3].outcome = Outcome::kTimeout;
  EXPECT_FALSE(after(records).narrow(0, 50, 0.05));
  records = calls(20, 0.01, {});
  records[3].phase = Phase::kWarmup;
  EXPECT_FALSE(after(records).narrow(0, 50, 0.05));
}

}  // namespace
}  // namespace assay
