// What a resume finds of a run.
#include <gtest/gtest.h>

#include "../stats/synthetic.h"
#include "run/measure.h"

namespace assay {
namespace {

TEST(Remaining, WhatWasMeasuredBeforeCountsForAnIntervalThatIsNarrowEnough) {
  synthetic::Builder b("prompt");
  const int64_t leg = b.leg(b.cell("m"), b.prompt("p"));
  b.add_ok(leg, 30, {}, 0.01);
  LedgerContent ledger = b.ledger;
  ledger.calls.resize(24);
  const Remaining left = remaining_calls(ledger, {});
  EXPECT_EQ(left.done.size(), 24U);
  EXPECT_TRUE(left.legs.narrow(leg, 30, 0.05));
  ledger.calls.resize(12);
  EXPECT_FALSE(remaining_calls(ledger, {}).legs.narrow(leg, 30, 0.05));
}

}  // namespace
}  // namespace assay
