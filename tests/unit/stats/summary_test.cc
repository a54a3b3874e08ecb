#include "stats/summary.h"

#include <gtest/gtest.h>

#include <cmath>
#include <numbers>

#include "base/random.h"
#include "stats/student_t.h"

namespace assay {
namespace {

using derive::Ratio;

TEST(StudentT, QuantilesMatchTables) {
  EXPECT_NEAR(t_quantile(0.975, 1), 12.7062047364, 1e-6);
  EXPECT_NEAR(t_quantile(0.975, 2), 4.3026527297, 1e-8);
  EXPECT_NEAR(t_quantile(0.975, 5), 2.5705818356, 1e-8);
  EXPECT_NEAR(t_quantile(0.975, 9), 2.2621571628, 1e-8);
  EXPECT_NEAR(t_quantile(0.975, 30), 2.0422724563, 1e-8);
  EXPECT_NEAR(t_quantile(0.975, 1000), 1.9623390808, 1e-8);
  EXPECT_NEAR(t_quantile(0.95, 10), 1.8124611228, 1e-8);
  EXPECT_NEAR(t_quantile(0.5, 7), 0, 1e-8);
  EXPECT_NEAR(t_quantile(0.025, 9), -2.2621571628, 1e-8);
}

TEST(Percentile, IsType7) {
  const std::vector<double> sorted{1, 2, 3, 4, 10};
  EXPECT_DOUBLE_EQ(*percentile(sorted, 0.5), 3);
  EXPECT_DOUBLE_EQ(*percentile(sorted, 0.9), 7.6);
  EXPECT_DOUBLE_EQ(*percentile(sorted, 0.95), 8.8);
  EXPECT_DOUBLE_EQ(*percentile(sorted, 0), 1);
  EXPECT_DOUBLE_EQ(*percentile(sorted, 1), 10);
  EXPECT_FALSE(percentile({}, 0.5));
}

TEST(Percentile, NeedsThisManyValuesForAnInterval) {
  EXPECT_EQ(needed_for_percentile(0.50), 6);
  EXPECT_EQ(needed_for_percentile(0.90), 29);
  EXPECT_EQ(needed_for_percentile(0.95), 59);
  EXPECT_EQ(needed_for_percentile(0.99), 299);
}

TEST(Summary, OfNothingIsAbsentThroughout) {
  const Summary s = summarise({}, Scale::kLog);
  EXPECT_EQ(s.n, 0);
  EXPECT_FALSE(s.mean || s.p50 || s.min || s.max || s.ci95);
}

TEST(Summary, MatchesHandComputedValues) {
  const std::vector<double> values{10, 12, 9, 11, 10, 8};
  const Summary s = summarise(values, Scale::kLinear);
  EXPECT_DOUBLE_EQ(*s.mean, 10);
  EXPECT_DOUBLE_EQ(*s.p50, 10);
  EXPECT_DOUBLE_EQ(*s.min, 8);
  EXPECT_DOUBLE_EQ(*s.max, 12);
  ASSERT_TRUE(s.ci95);
  // s = sqrt(2), t(5) = 2.570582, half = 2.570582 * sqrt(2 / 6).
  EXPECT_NEAR(s.ci95->high, 10 + 1.484126, 1e-6);
  EXPECT_NEAR(s.ci95->low, 10 - 1.484126, 1e-6);
  EXPECT_EQ(s.low_n, (std::vector<int>{90, 95, 99}));
}

TEST(Summary, LowNNamesWhatCannotHaveAnInterval) {
  EXPECT_EQ(summarise(std::vector<double>(5, 1.0), Scale::kLinear).low_n,
            (std::vector<int>{50, 90, 95, 99}));
  EXPECT_EQ(summarise(std::vector<double>(29, 1.0), Scale::kLinear).low_n,
            (std::vector<int>{95, 99}));
  EXPECT_EQ(summarise(std::vector<double>(298, 1.0), Scale::kLinear).low_n, (std::vector<int>{99}));
  EXPECT_TRUE(summarise(std::vector<double>(299, 1.0), Scale::kLinear).low_n.empty());
}

TEST(MeanInterval, IsWithheldForAReason) {
  EXPECT_EQ(summarise(std::vector<double>{1, 2, 1, 2, 1}, Scale::kLinear).no_ci95, "few");
  const Summary slow = summarise(std::vector<double>{10, 11, 10, 11, 10, 31.6}, Scale::kLog);
  EXPECT_EQ(slow.no_ci95, "outlier");
  EXPECT_FALSE(slow.ci95);
  EXPECT_TRUE(slow.mean);
  const Summary drift = summarise(std::vector<double>{10, 11, 12, 13, 14, 15, 16}, Scale::kLog);
  EXPECT_EQ(drift.no_ci95, "correlated");
  EXPECT_FALSE(drift.ci95);
}

TEST(MeanInterval, OfEqualValuesIsOnePoint) {
  const Summary s = summarise(std::vector<double>(8, 0.1), Scale::kLog);
  ASSERT_TRUE(s.ci95);
  EXPECT_NEAR(s.ci95->low, 0.1, 1e-12);
  EXPECT_NEAR(s.ci95->high, 0.1, 1e-12);
}

TEST(MeanInterval, OnTheLogScaleIsSkewedAndHoldsTheMean) {
  const std::vector<double> values{100, 140, 90, 180, 110, 120, 95, 150};
  const auto interval = mean_interval(values, Scale::kLog);
  const double mean = 985.0 / 8;
  ASSERT_TRUE(interval);
  EXPECT_NEAR(interval->low * interval->high, mean * mean, 1e-6);
  EXPECT_GT(interval->high - mean, mean - interval->low);
}

TEST(Lag1, IsTheCorrelationWithTheNextValue) {
  EXPECT_DOUBLE_EQ(*lag1_correlation(std::vector<double>{1, -1, 1, -1}), -0.75);
  EXPECT_FALSE(lag1_correlation(std::vector<double>{2, 2, 2}));
}

TEST(RatioOfSums, WeighsCallsByTheirLength) {
  const std::vector<Ratio> parts{{100, 1}, {100, 4}};
  EXPECT_DOUBLE_EQ(*ratio_of_sums(parts), 40);
  const Summary s = summarise_ratio(parts);
  EXPECT_DOUBLE_EQ(*s.mean, 40);
  EXPECT_DOUBLE_EQ(*s.p50, 62.5);
  EXPECT_FALSE(s.ci95);
  EXPECT_FALSE(ratio_of_sums({}));
}

TEST(RatioOfSums, JackknifeMatchesHandComputedValues) {
  // Equal denominators: the jackknife is then exactly the t interval of the mean.
  const std::vector<Ratio> parts{{10, 1}, {12, 1}, {9, 1}, {11, 1}, {10, 1}, {8, 1}};
  const Summary s = summarise_ratio(parts);
  ASSERT_TRUE(s.ci95);
  EXPECT_NEAR(s.ci95->high, 10 + 1.484126, 1e-6);
  EXPECT_NEAR(s.ci95->low, 10 - 1.484126, 1e-6);
}

TEST(Pooled, MeanIsOverAllValuesAndTheIntervalNeedsTwentyCalls) {
  std::vector<std::vector<double>> clusters(19, {10, 20});
  clusters[0] = {10, 20, 30, 40};
  Summary s = summarise_pooled(clusters);
  EXPECT_EQ(s.n, 40);
  EXPECT_DOUBLE_EQ(*s.mean, 640.0 / 40);
  EXPECT_EQ(s.no_ci95, "few");
  clusters.push_back({10, 20});
  s = summarise_pooled(clusters);
  EXPECT_TRUE(s.ci95);
}

TEST(Pooled, ManyGapsOfFewCallsAreStillFew) {
  const std::vector<std::vector<double>> clusters(5, std::vector<double>(100, 1.0));
  EXPECT_EQ(summarise_pooled(clusters).low_n, (std::vector<int>{50, 90, 95, 99}));
}

TEST(FitLine, MatchesHandComputedValues) {
  const auto line = fit_line(std::vector<Point>{{0, 1}, {1, 3}, {2, 5}});
  ASSERT_TRUE(line);
  EXPECT_DOUBLE_EQ(line->slope, 2);
  EXPECT_DOUBLE_EQ(line->intercept, 1);
  EXPECT_FALSE(fit_line(std::vector<Point>{{1, 3}, {1, 5}}));
}

/// Standard normal, by Box and Muller.
double normal(SplitMix64& random) {
  const double radius = std::sqrt(-2 * std::log(1 - random.unit()));
  return radius * std::cos(2 * std::numbers::pi * random.unit());
}

/// In which share of simulated runs the interval holds the true mean.
double coverage_of_lognormal(double sigma, int n) {
  constexpr int kRuns = 4000;
  SplitMix64 random(7);
  const double truth = std::exp(sigma * sigma / 2);
  int covered = 0;
  for (int run = 0; run < kRuns; ++run) {
    std::vector<double> values;
    for (int i = 0; i < n; ++i) values.push_back(std::exp(sigma * normal(random)));
    const auto interval = mean_interval(values, Scale::kLog);
    if (interval->low <= truth && truth <= interval->high) ++covered;
  }
  return static_cast<double>(covered) / kRuns;
}

TEST(MeanInterval, CoversTheMeanOfSkewedLatencies) {
  EXPECT_NEAR(coverage_of_lognormal(0.1, 10), 0.95, 0.015);
  EXPECT_NEAR(coverage_of_lognormal(0.5, 10), 0.95, 0.02);
  EXPECT_NEAR(coverage_of_lognormal(0.5, 30), 0.95, 0.02);
}

TEST(RatioOfSums, JackknifeCoversTheTrueRate) {
  constexpr int kRuns = 3000;
  SplitMix64 random(11);
  int covered = 0;
  for (int run = 0; run < kRuns; ++run) {
    std::vector<Ratio> parts;
    for (int i = 0; i < 12; ++i) {
      const double tokens = 50 + 200 * random.unit();
      parts.push_back({tokens, tokens / 40 * (1 + 0.05 * normal(random))});
    }
    const Summary s = summarise_ratio(parts);
    // Withheld ones are told by the calls' order alone, which says nothing of the mean.
    if (!s.ci95 || (s.ci95->low <= 40 && 40 <= s.ci95->high)) ++covered;
  }
  EXPECT_NEAR(static_cast<double>(covered) / kRuns, 0.95, 0.02);
}

TEST(Summarise, TheIntervalOfALatencyStaysAboveZero) {
  // Eighteen calls that wait for one another: correlated, and far apart.
  std::vector<double> values;
  for (int i = 0; i < 18; ++i) values.push_back(i < 6 ? 100 + 90 * i : 680);
  const Summary s = summarise(values, Scale::kLog);
  if (s.ci95) {
    EXPECT_GT(s.ci95->low, 0);
    EXPECT_LT(s.ci95->low, *s.mean);
  }
}

}  // namespace
}  // namespace assay
