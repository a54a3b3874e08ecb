#include "stats/percentiles.h"

#include <gtest/gtest.h>

#include <numeric>

#include "stats/incomplete_beta.h"

namespace assay {
namespace {

/// 1, 2, ... n: a value is its rank.
std::vector<double> ranks(int n) {
  std::vector<double> values(static_cast<size_t>(n));
  std::iota(values.begin(), values.end(), 1.0);
  return values;
}

TEST(IncompleteBeta, IsTheBinomialTail) {
  EXPECT_NEAR(incomplete_beta(0.5, 2, 9), 1 - 11.0 / 1024, 1e-12);  // P(Bin(10, 1/2) >= 2)
  EXPECT_NEAR(incomplete_beta(0.9, 29, 1), 0.04710128697246244, 1e-12);
  EXPECT_DOUBLE_EQ(incomplete_beta(0, 2, 3), 0);
  EXPECT_DOUBLE_EQ(incomplete_beta(1, 2, 3), 1);
}

TEST(PercentileInterval, ExistsFromTheNeededNumberOn) {
  for (const double share : {0.5, 0.9, 0.95, 0.99}) {
    const auto n = static_cast<int>(needed_for_percentile(share));
    EXPECT_FALSE(percentile_interval(ranks(n - 1), share)) << share;
    const auto interval = percentile_interval(ranks(n), share);
    ASSERT_TRUE(interval) << share;
    EXPECT_LE(interval->low, *percentile(ranks(n), share));
    EXPECT_GE(interval->high, *percentile(ranks(n), share));
  }
}

TEST(PercentileInterval, OfTheMedianLiesBetweenTheRanksOfTheTables) {
  // Of ten values the ranks 2 to 9 hold the median with 97.9 %, 3 to 8 with 89.1 %; the share of
  // the way between them is Hettmansperger and Sheather's 0.658.
  const auto interval = percentile_interval(ranks(10), 0.5);
  EXPECT_NEAR(interval->low, 2.658, 0.001);
  EXPECT_NEAR(interval->high, 11 - 2.658, 0.001);
}

TEST(PercentileInterval, OfAHighPercentileReachesTheLargestValueFirst) {
  const auto interval = percentile_interval(ranks(29), 0.9);
  EXPECT_DOUBLE_EQ(interval->high, 29);
  EXPECT_LT(interval->low, 26.2);
}

TEST(PercentileInterval, IsWiderForValuesThatCountAsFewer) {
  const auto all = percentile_interval(ranks(40), 0.5);
  const auto half = percentile_interval(ranks(40), 0.5, 20);
  EXPECT_LT(half->low, all->low);
  EXPECT_GT(half->high, all->high);
  EXPECT_FALSE(percentile_interval(ranks(40), 0.5, 5));
  EXPECT_DOUBLE_EQ(percentile_interval(ranks(40), 0.5, 80)->low, all->low);
}

TEST(PercentileInterval, OfVeryManyValuesIsTheNormalOne) {
  // 1.96 sqrt(n / 4) ranks to both sides.
  const auto interval = percentile_interval(ranks(40'000), 0.5);
  EXPECT_NEAR(interval->low, 20'000.5 - 196, 1);
  EXPECT_NEAR(interval->high, 20'000.5 + 196, 1);
}

TEST(ClusteredCount, LiesBetweenTheClustersAndTheValues) {
  // All values of a cluster on one side: each cluster counts about once.
  std::vector<std::vector<double>> alike;
  for (int i = 0; i < 40; ++i) alike.emplace_back(10, i % 2 == 0 ? 1.0 : 3.0);
  const double few = clustered_count(alike, 0.5, 2);
  EXPECT_GT(few, 30);
  EXPECT_LT(few, 45);
  // As many on both sides within every cluster: no cluster differs from another.
  const std::vector<std::vector<double>> mixed(40, {1, 1, 1, 3, 3, 3});
  EXPECT_DOUBLE_EQ(clustered_count(mixed, 0.5, 2), 240);
  EXPECT_DOUBLE_EQ(clustered_count(std::vector<std::vector<double>>{{1, 2}, {}}, 0.5, 1), 0);
}

}  // namespace
}  // namespace assay
