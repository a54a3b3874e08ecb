#include "stats/gap_store.h"

#include <gtest/gtest.h>

#include <numeric>

#include "base/random.h"

namespace assay {
namespace {

/// Calls of `gaps` gaps each, whole microseconds around 20 ms, some a hundred times as long.
std::vector<std::vector<double>> calls_of(size_t calls, size_t gaps) {
  SplitMix64 random(7);
  std::vector<std::vector<double>> all(calls);
  for (auto& call : all) {
    for (size_t i = 0; i < gaps; ++i) {
      const auto us = static_cast<double>(15'000 + random.below(10'000));
      call.push_back((random.below(500) == 0 ? 100 * us : us) / 1e3);
    }
  }
  return all;
}

std::vector<uint32_t> in_order(size_t calls) {
  std::vector<uint32_t> order(calls);
  std::iota(order.begin(), order.end(), 0U);
  return order;
}

TEST(GapStore, BelowItsLimitItSaysWhatTheGapsThemselvesSay) {
  const auto calls = calls_of(40, 25);
  GapStore store;
  for (const auto& call : calls) store.add(call);
  EXPECT_FALSE(store.counted());
  const Summary exact = summarise_pooled(calls);
  const Summary stored = store.summarise(in_order(calls.size()));
  EXPECT_EQ(stored.n, exact.n);
  EXPECT_EQ(stored.mean, exact.mean);
  EXPECT_EQ(stored.p99, exact.p99);
  ASSERT_TRUE(stored.p50_ci95);
  EXPECT_EQ(stored.p50_ci95->low, exact.p50_ci95->low);
  EXPECT_EQ(stored.no_ci95, exact.no_ci95);
}

TEST(GapStore, AboveItsLimitPercentilesAreRightToOnePercent) {
  const size_t gaps = 500;
  const auto calls = calls_of(static_cast<size_t>(kMaxExactGaps) / gaps + 1, gaps);
  GapStore store;
  for (const auto& call : calls) store.add(call);
  ASSERT_TRUE(store.counted());
  const Summary exact = summarise_pooled(calls);
  const Summary counted = store.summarise(in_order(calls.size()));
  EXPECT_EQ(counted.n, exact.n);
  EXPECT_NEAR(*counted.mean, *exact.mean, 1e-9 * *exact.mean);
  EXPECT_EQ(counted.min, exact.min);
  EXPECT_EQ(counted.max, exact.max);
  for (const auto figure :
       {&Summary::p1, &Summary::p10, &Summary::p50, &Summary::p90, &Summary::p95, &Summary::p99}) {
    EXPECT_NEAR(*(counted.*figure), *(exact.*figure), 0.01 * *(exact.*figure));
  }
  EXPECT_FALSE(counted.p50_ci95) << "a histogram gives no order statistics";
  EXPECT_EQ(counted.no_ci95, exact.no_ci95);
}

TEST(GapStore, CallsWithoutGapsAreNoPartOfTheMean) {
  GapStore store;
  store.add({});
  const std::vector<double> two{10, 30};
  store.add(two);
  const auto parts = store.parts(in_order(2));
  ASSERT_EQ(parts.size(), 1U);
  EXPECT_EQ(parts[0].numerator, 40);
  EXPECT_EQ(store.summarise(in_order(2)).mean, 20);
}

}  // namespace
}  // namespace assay
