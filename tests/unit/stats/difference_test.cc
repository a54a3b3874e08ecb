#include "stats/difference.h"

#include <gtest/gtest.h>

#include <cmath>
#include <numbers>

#include "base/random.h"

namespace assay {
namespace {

/// Standard normal values by Box and Muller.
class Normal {
 public:
  explicit Normal(uint64_t seed) : random_(seed) {}
  double operator()() {
    const double radius = std::sqrt(-2 * std::log(1 - random_.unit()));
    return radius * std::cos(2 * std::numbers::pi * random_.unit());
  }

 private:
  SplitMix64 random_;
};

std::vector<double> lognormal(Normal& normal, size_t n, double centre, double sigma) {
  std::vector<double> values;
  for (size_t i = 0; i < n; ++i) values.push_back(centre * std::exp(sigma * normal()));
  return values;
}

TEST(Difference, IsTheRatioOfGeometricMeans) {
  const auto d = difference_between(std::vector{1.0, 2.0, 4.0}, std::vector{2.0, 4.0, 8.0});
  ASSERT_TRUE(d);
  EXPECT_NEAR(d->change(), 1.0, 1e-12);
  const Interval ci = d->ci95();
  EXPECT_LT(ci.low, 1.0);
  EXPECT_GT(ci.high, 1.0);
  // Two sides of equal spread and size: Welch's degrees of freedom are those of the pooled test.
  EXPECT_NEAR(d->df, 4, 1e-9);
  EXPECT_NEAR(d->standard_error, std::log(2.0) * std::sqrt(2.0 / 3), 1e-12);
}

TEST(Difference, NeedsThreePositiveValuesASide) {
  EXPECT_FALSE(difference_between(std::vector{1.0, 2.0}, std::vector{1.0, 2.0, 3.0}));
  EXPECT_FALSE(difference_between(std::vector{1.0, 2.0, 0.0}, std::vector{1.0, 2.0, 3.0}));
  EXPECT_FALSE(difference_between(std::vector<double>{1, 2, NAN}, std::vector{1.0, 2.0, 3.0}));
  EXPECT_FALSE(paired_difference(std::vector{1.0, 2.0, 3.0}, std::vector{1.0, 2.0}));
}

TEST(Difference, WithoutSpreadIsExact) {
  const std::vector same{5.0, 5.0, 5.0};
  const auto none = difference_between(same, same);
  ASSERT_TRUE(none);
  EXPECT_EQ(none->p_value(), 1);
  EXPECT_EQ(judge(*none, Better::kLower, {}), Verdict::kSame);
  const auto some = difference_between(same, std::vector{6.0, 6.0, 6.0});
  EXPECT_EQ(some->p_value(), 0);
  EXPECT_EQ(judge(*some, Better::kLower, {}), Verdict::kWorse);
  EXPECT_EQ(judge(*some, Better::kHigher, {}), Verdict::kBetter);
}

TEST(Difference, PairsTakeWhatBothShareOutOfTheSpread) {
  const std::vector base{1.0, 10.0, 100.0, 3.0};
  std::vector<double> now;
  for (const double value : base) now.push_back(value * 1.05);
  EXPECT_GT(difference_between(base, now)->standard_error, 1);
  EXPECT_LT(paired_difference(base, now)->standard_error, 1e-12);
}

TEST(Difference, CorrelatedCallsCountForFewer) {
  std::vector<double> drift;
  std::vector<double> mixed;
  for (int i = 0; i < 12; ++i) drift.push_back(100 + i);
  for (int i = 0; i < 12; ++i) mixed.push_back(100 + (i * 5) % 12);
  const double apart = difference_between(mixed, mixed)->standard_error;
  EXPECT_GT(difference_between(drift, mixed)->standard_error, 1.3 * apart);
}

TEST(OverStrata, WeighsPromptsAlike) {
  const Difference a{0.1, 0.02, 8, 10, 12};
  const Difference b{0.3, 0.02, 8, 6, 20};
  const auto all = over_strata(std::vector{a, b});
  ASSERT_TRUE(all);
  EXPECT_NEAR(all->log_ratio, 0.2, 1e-12);
  EXPECT_NEAR(all->standard_error, 0.02 / std::sqrt(2.0), 1e-12);
  EXPECT_NEAR(all->df, 16, 1e-9);
  EXPECT_EQ(all->base_n, 6);
  EXPECT_EQ(all->new_n, 12);
  EXPECT_FALSE(over_strata({}));
}

TEST(Judge, KnowsFourVerdicts) {
  const auto at = [](double change, double error) {
    return Difference{std::log1p(change), error, 30, 10, 10};
  };
  EXPECT_EQ(judge(at(0.10, 0.01), Better::kLower, {}), Verdict::kWorse);
  EXPECT_EQ(judge(at(-0.10, 0.01), Better::kLower, {}), Verdict::kBetter);
  EXPECT_EQ(judge(at(0.005, 0.005), Better::kLower, {}), Verdict::kSame);
  EXPECT_EQ(judge(at(0.05, 0.05), Better::kLower, {}), Verdict::kUnclear);
  // Sure, but smaller than anybody minds.
  EXPECT_EQ(judge(at(0.028, 0.004), Better::kLower, {}), Verdict::kUnclear);
  // Sure, but within what identical runs differ by.
  EXPECT_EQ(judge(at(0.10, 0.01), Better::kLower, {0.03, 0.06}), Verdict::kUnclear);
  EXPECT_EQ(judge(at(0.10, 0.01), Better::kNeither, {}), Verdict::kUnclear);
}

TEST(MoreRepetitions, WouldSettleIt) {
  const Difference d{std::log(1.08), 0.05, 14, 8, 8};
  ASSERT_EQ(judge(d, Better::kLower, {}), Verdict::kUnclear);
  const auto more = more_repetitions(d, {});
  ASSERT_TRUE(more);
  EXPECT_GT(*more, 0);
  const double factor = static_cast<double>(8 + *more) / 8;
  Difference then = d;
  then.standard_error /= std::sqrt(factor);
  then.df *= factor;
  EXPECT_NE(judge(then, Better::kLower, {}), Verdict::kUnclear);
}

TEST(MoreRepetitions, IsAbsentWhereNoneWouldHelp) {
  EXPECT_FALSE(more_repetitions({std::log(1.1), 0.01, 30, 10, 10}, {0.03, 0.06}));
  EXPECT_FALSE(more_repetitions({std::log(1.029999), 0.02, 30, 10, 10}, {0.03, {}}));
}

TEST(Holm, MatchesAWorkedExample) {
  const auto adjusted = holm(std::vector{0.01, 0.04, 0.03, 0.005});
  EXPECT_NEAR(adjusted[0], 0.03, 1e-12);
  EXPECT_NEAR(adjusted[1], 0.06, 1e-12);
  EXPECT_NEAR(adjusted[2], 0.06, 1e-12);
  EXPECT_NEAR(adjusted[3], 0.02, 1e-12);
  EXPECT_TRUE(holm({}).empty());
}

/// Of 2,000 comparisons: the share with an interval that holds the truth, and that cry wolf.
struct Rates {
  double covered = 0;
  double wolf = 0;
  double found = 0;
};
Rates rates_of(double change, double sigma, size_t n) {
  constexpr int kComparisons = 2000;
  Normal normal(11);
  Rates rates;
  for (int i = 0; i < kComparisons; ++i) {
    const auto base = lognormal(normal, n, 100, sigma);
    const auto now = lognormal(normal, n, 100 * (1 + change), sigma);
    const auto d = difference_between(base, now);
    const Interval ci = d->ci95();
    const Verdict verdict = judge(*d, Better::kLower, {});
    if (ci.low <= change && change <= ci.high) rates.covered += 1.0 / kComparisons;
    if (verdict == Verdict::kWorse) rates.found += 1.0 / kComparisons;
    if (verdict == Verdict::kWorse || verdict == Verdict::kBetter) rates.wolf += 1.0 / kComparisons;
  }
  return rates;
}

TEST(DifferenceSimulation, CoversTheTruthAndRarelyCriesWolf) {
  for (const size_t n : {5U, 10U, 30U}) {
    for (const double sigma : {0.02, 0.1, 0.5}) {
      const Rates none = rates_of(0, sigma, n);
      // Never too narrow. Values correlated by chance widen some intervals at small n.
      EXPECT_GE(none.covered, 0.94) << n << " " << sigma;
      // Nominally 5 % at most, and far less where the tolerance is wider than the interval.
      EXPECT_LE(none.wolf, 0.06) << n << " " << sigma;
      EXPECT_GE(rates_of(0.05, sigma, n).covered, 0.94) << n << " " << sigma;
    }
  }
}

TEST(DifferenceSimulation, FindsFivePercentAtTenCallsWithTwoPercentSpread) {
  EXPECT_GE(rates_of(0.05, 0.02, 10).found, 0.80);
}

/// How often a change is found that is as large as a comparison of two equal runs says it finds.
double found_of_stated(size_t n, double sigma) {
  constexpr int kPairs = 2000;
  Normal normal(5);
  int found = 0;
  for (int i = 0; i < kPairs; ++i) {
    const auto base = lognormal(normal, n, 100, sigma);
    const auto same = lognormal(normal, n, 100, sigma);
    const double stated = detectable_change(*difference_between(base, same), {});
    const auto slower = lognormal(normal, n, 100 * (1 + stated), sigma);
    found += judge(*difference_between(base, slower), Better::kLower, {}) == Verdict::kWorse;
  }
  return static_cast<double>(found) / kPairs;
}

TEST(DifferenceSimulation, TheChangeThatIsStatedIsFoundInNineOfTen) {
  for (const size_t n : {3U, 5U, 10U, 30U}) {
    for (const double sigma : {0.005, 0.02, 0.06, 0.14}) {
      EXPECT_GE(found_of_stated(n, sigma), 0.86) << n << " " << sigma;
      EXPECT_LE(found_of_stated(n, sigma), 0.97) << n << " " << sigma;
    }
  }
}

}  // namespace
}  // namespace assay
