#include "stats/references.h"

#include <gtest/gtest.h>

#include "stats/leg_marks.h"
#include "stats/routing.h"
#include "synthetic.h"

namespace assay {
namespace {

using synthetic::Builder;

/// One cell, one prompt, 8 warm calls of 100 ms to the first token.
LedgerContent run_with(std::vector<Reference> expect) {
  Builder b("baseline");
  const int64_t cell = b.cell("m");
  b.ledger.meta.cells[0].expect = std::move(expect);
  const int64_t leg = b.leg(cell, b.prompt("P-EASY"), Phase::kWarm);
  b.add_ok(leg, 8, {.ttft_ms = 100, .gap_ms = 10, .tokens = 20});
  return b.ledger;
}

TEST(References, AMedianBeyondTheToleranceIsOff) {
  const auto legs = group_legs(run_with({{"P-EASY", "ttft_ms", 50, 0.3}})).legs;
  ASSERT_EQ(legs.size(), 1U);
  const LegMark* mark = find_mark(legs[0], "off_reference");
  ASSERT_NE(mark, nullptr);
  EXPECT_EQ(mark->detail, "ttft_ms is 99.5 ms, the reference 50.0 ± 30 %");
}

TEST(References, WithinTheToleranceOrOfAnotherPromptNothingIs) {
  for (const Reference& fine :
       {Reference{"P-EASY", "ttft_ms", 90, 0.3}, Reference{"P-HARD", "ttft_ms", 1, 0.3},
        Reference{"P-EASY", "load_ms", 1, 0.3}}) {
    const auto legs = group_legs(run_with({fine})).legs;
    EXPECT_TRUE(find_mark(legs.at(0), "off_reference") == nullptr) << fine.metric;
  }
}

/// `pairs` calls in turn directly and by a router that adds 30 ms.
LedgerContent routed_run(int64_t pairs) {
  Builder b("baseline");
  const int64_t direct = b.cell("m");
  const int64_t routed = b.cell("m2");
  b.ledger.meta.cells[1].routed_from = b.ledger.meta.cells[0].id;
  const int64_t prompt = b.prompt("P-EASY");
  b.add_ok(b.leg(direct, prompt, Phase::kWarm), pairs, {.ttft_ms = 100, .gap_ms = 10, .tokens = 20},
           0.01);
  b.add_ok(b.leg(routed, prompt, Phase::kWarm), pairs, {.ttft_ms = 130, .gap_ms = 10, .tokens = 20},
           0.01);
  return b.ledger;
}

std::vector<RoutingOverhead> overheads_of(const LedgerContent& ledger) {
  RoutedCalls calls(ledger.meta);
  for (const CallRecord& call : ledger.calls) calls.add(call);
  return calls.overheads();
}

TEST(RoutingOverhead, IsTheMediansDifferenceWithItsInterval) {
  const LedgerContent ledger = routed_run(8);
  const auto rows = overheads_of(ledger);
  ASSERT_EQ(rows.size(), 2U);
  const RoutingOverhead& ttft = rows[0];
  EXPECT_EQ(ttft.metric->name, "ttft_ms");
  EXPECT_EQ(ttft.cell_id, ledger.meta.cells[0].id);
  EXPECT_EQ(ttft.pairs, 8);
  EXPECT_DOUBLE_EQ(ttft.overhead, ttft.routed - ttft.direct);
  EXPECT_NEAR(ttft.overhead, 30, 6);
  ASSERT_TRUE(ttft.ci95);
  EXPECT_LT(ttft.ci95->low, ttft.ci95->high);
  ASSERT_TRUE(ttft.difference);
  EXPECT_GT(ttft.difference->ci95().low, 0);
}

TEST(RoutingOverhead, FewPairsHaveNoIntervalOfTheMedian) {
  const LedgerContent ledger = routed_run(5);
  const auto rows = overheads_of(ledger);
  ASSERT_EQ(rows.size(), 2U);
  EXPECT_FALSE(rows[0].ci95);
  EXPECT_TRUE(rows[0].difference);
}

TEST(RoutingOverhead, WithoutARouteThereIsNone) {
  const LedgerContent ledger = run_with({});
  EXPECT_TRUE(overheads_of(ledger).empty());
}

}  // namespace
}  // namespace assay
