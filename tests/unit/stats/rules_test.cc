#include <gtest/gtest.h>

#include <cmath>
#include <functional>

#include "simulation.h"
#include "stats/censored.h"
#include "stats/ratio.h"
#include "stats/strata.h"
#include "stats/student_t.h"
#include "stats/summary.h"
#include "stats/until_ci.h"

namespace assay {
namespace {

using derive::Ratio;

TEST(Autocorrelation, CorrectsTheBiasOfShortSeries) {
  const std::vector<double> values{1, 3, 2, 4, 3, 5};
  const double plain = *lag1_correlation(values);
  EXPECT_DOUBLE_EQ(autocorrelation(values), std::max(0.0, (6 * plain + 1) / 3));
  EXPECT_DOUBLE_EQ(autocorrelation(std::vector<double>{1, -1, 1, -1, 1, -1}), 0);
  EXPECT_DOUBLE_EQ(autocorrelation(std::vector<double>(9, 4.0)), 0);
  EXPECT_DOUBLE_EQ(autocorrelation(std::vector<double>{1, 2, 3, 4, 5, 6, 7, 8}), kMaxCorrelation);
}

TEST(Autocorrelation, WidensAndShrinks) {
  EXPECT_DOUBLE_EQ(widening(0, 10), 1);
  EXPECT_DOUBLE_EQ(widening(0.5, 10), 3);
  EXPECT_NEAR(widening(0.5, 1'000'000), known_widening(0.5), 1e-4);
  EXPECT_DOUBLE_EQ(effective_count(0, 30), 30);
  EXPECT_DOUBLE_EQ(effective_count(0.5, 10), 10.0 / 9);
  EXPECT_DOUBLE_EQ(effective_count(0.9, 10), 1);
}

TEST(Correlation, MakesTheIntervalLonger) {
  // The same values in two orders.
  const std::vector<double> mixed{10, 14, 11, 13, 12, 10, 14, 11, 13, 12};
  const std::vector<double> waves{10, 11, 12, 13, 14, 14, 13, 12, 11, 10};
  const Summary calm = summarise(mixed, Scale::kLog);
  const Summary drifting = summarise(waves, Scale::kLog);
  ASSERT_TRUE(calm.ci95);
  EXPECT_LT(calm.ci95->high, mean_interval(mixed, Scale::kLog)->high + 1e-9);
  EXPECT_EQ(drifting.no_ci95, "correlated");
  EXPECT_FALSE(drifting.standard_error);
  // The median's is the whole range then.
  EXPECT_DOUBLE_EQ(drifting.p50_ci95->low, 10);
  EXPECT_DOUBLE_EQ(drifting.p50_ci95->high, 14);
}

TEST(Bootstrap, TheSameSeedGivesTheSameInterval) {
  simulation::Calls calls(simulation::Process::kNormal, 3);
  std::vector<Ratio> parts;
  for (int i = 0; i < 30; ++i) parts.push_back({100 * calls.next(), 100});
  const auto once = bootstrap_interval(parts, 1);
  const auto twice = bootstrap_interval(parts, 1);
  const auto other = bootstrap_interval(parts, 2);
  ASSERT_TRUE(once && twice && other);
  EXPECT_EQ(once->low, twice->low);
  EXPECT_EQ(once->high, twice->high);
  EXPECT_NE(once->low, other->low);
  const auto jackknife = jackknife_interval(parts);
  const double width = jackknife->high - jackknife->low;
  EXPECT_NEAR(once->low, jackknife->low, 0.3 * width);
  EXPECT_NEAR(once->high, jackknife->high, 0.3 * width);
}

TEST(Bootstrap, NeedsTwentyPartsAndSpread) {
  EXPECT_FALSE(bootstrap_interval(std::vector<Ratio>(19, {1, 2}), 1));
  const auto point = bootstrap_interval(std::vector<Ratio>(20, {1, 3}), 1);
  ASSERT_TRUE(point);
  EXPECT_NEAR(point->low, 1.0 / 3, 1e-12);
  EXPECT_NEAR(point->high, 1.0 / 3, 1e-12);
  EXPECT_FALSE(bootstrap_interval(std::vector<Ratio>(20, {1, 0}), 1));
}

TEST(Restarts, AreTheUnit) {
  // Three restarts with means 9, 10 and 11: t(2) = 4.3027 of s = 1 over sqrt(3).
  const std::vector<std::vector<Ratio>> restarts{
      {{9, 1}, {9, 1}}, {{10, 1}, {10, 1}}, {{11, 1}, {11, 1}}};
  const auto interval = restart_interval(restarts, 1);
  ASSERT_TRUE(interval);
  EXPECT_NEAR(interval->high, 10 + 4.302653 / std::sqrt(3), 1e-5);
  EXPECT_FALSE(restart_interval(std::span(restarts).first(2), 1));
}

TEST(Restarts, ReplaceTheIntervalByCall) {
  const std::vector<double> values{9, 9.1, 10, 10.1, 11, 11.1};
  std::vector<Ratio> parts;
  for (const double v : values) parts.push_back({v, 1});
  const Summary by_call = summarise(values, Scale::kLinear);
  const Summary three = by_restart(by_call, parts, std::vector<int64_t>{0, 0, 1, 1, 2, 2});
  EXPECT_NEAR(three.ci95->high, *three.mean + 4.302653 / std::sqrt(3), 1e-5);
  EXPECT_DOUBLE_EQ(three.degrees, 2);
  const Summary two = by_restart(by_call, parts, std::vector<int64_t>{0, 0, 0, 1, 1, 1});
  EXPECT_EQ(two.no_ci95, "few_restarts");
  EXPECT_FALSE(two.ci95);
  const Summary one = by_restart(by_call, parts, std::vector<int64_t>(6, 0));
  EXPECT_EQ(one.no_ci95, by_call.no_ci95);
}

TEST(Strata, WeighPromptsEquallyWithWelchsDegrees) {
  const std::vector<Stratum> strata{{10, 0.3, 9}, {20, 0.4, 4}};
  const StratifiedMean mean = mean_over_strata(strata);
  EXPECT_DOUBLE_EQ(*mean.mean, 15);
  const double degrees = 0.25 * 0.25 / (0.0081 / 9 + 0.0256 / 4);
  EXPECT_NEAR(mean.degrees, degrees, 1e-12);
  EXPECT_NEAR(mean.ci95->high, 15 + t_quantile(0.975, degrees) * 0.25, 1e-9);
}

TEST(Strata, AreNoSampleOfPrompts) {
  const StratifiedMean mean = mean_over_strata(std::vector<Stratum>{{1, 0.0, 5}, {100, 0.0, 5}});
  EXPECT_DOUBLE_EQ(mean.ci95->low, mean.ci95->high);
  EXPECT_FALSE(mean_over_strata(std::vector<Stratum>{{1, 0.1, 5}, {2, std::nullopt, 0}}).ci95);
  EXPECT_FALSE(mean_over_strata({}).mean);
}

TEST(Censored, FailedCallsRankAboveAllThatAnswered) {
  const std::vector<double> answered{100, 300, 200};
  const std::vector<double> limits{30'000};
  EXPECT_DOUBLE_EQ(censored_percentile(answered, limits, 1.0 / 3)->value, 200);
  EXPECT_FALSE(censored_percentile(answered, limits, 1.0 / 3)->censored);
  EXPECT_FALSE(censored_percentile(answered, limits, 2.0 / 3)->censored);
  const auto worst = censored_percentile(answered, limits, 1);
  EXPECT_TRUE(worst->censored);
  EXPECT_DOUBLE_EQ(worst->value, 30'000);
  // Between the slowest answer and a failed call: more than what lies between them.
  EXPECT_TRUE(censored_percentile(answered, limits, 0.9)->censored);
}

TEST(Censored, AQuickFailureIsNoFastCall) {
  const auto p99 = censored_percentile(std::vector<double>{100, 200}, std::vector<double>{1}, 0.99);
  EXPECT_TRUE(p99->censored);
  EXPECT_DOUBLE_EQ(p99->value, 200);
  const auto all = censored_percentile({}, std::vector<double>{5, 7}, 0.5);
  EXPECT_TRUE(all->censored);
  EXPECT_DOUBLE_EQ(all->value, 6);
  EXPECT_FALSE(censored_percentile({}, {}, 0.5));
}

TEST(Censored, WithoutFailuresIsThePercentile) {
  const std::vector<double> answered{1, 2, 3, 4, 10};
  const CensoredPercentiles p = censored_percentiles(answered, {});
  EXPECT_DOUBLE_EQ(p.p90->value, 7.6);
  EXPECT_FALSE(p.p99->censored);
}

/// What until_ci() says of values of which `summary_of_first` is told.
UntilCi asked(int64_t n, const std::function<Summary(int64_t)>& summary_of_first, double target,
              int64_t planned) {
  return until_ci(n, summary_of_first, target, planned);
}

Summary of_equal_values(int64_t n) {
  return summarise(std::vector<double>(static_cast<size_t>(n), 5.0), Scale::kLog);
}

Summary within_three_percent(int64_t n) {
  Summary s;
  s.n = n;
  s.mean = 10;
  s.ci95 = Interval{9.9, 10.3};
  return s;
}

TEST(UntilCi, StopsAtFiveNarrowIntervalsInARowFromSixteenValuesOn) {
  EXPECT_EQ(asked(19, of_equal_values, 0.02, 30), UntilCi::kGoOn);
  EXPECT_EQ(asked(20, of_equal_values, 0.02, 30), UntilCi::kReached);
  EXPECT_EQ(asked(20, of_equal_values, 0.02, 20), UntilCi::kExhausted);
}

TEST(UntilCi, AnIntervalThatWasWideAWhileAgoGoesOn) {
  const auto narrow_from = [](int64_t first) {
    return [first](int64_t n) { return n < first ? Summary() : within_three_percent(n); };
  };
  EXPECT_EQ(asked(30, narrow_from(27), 0.031, 60), UntilCi::kGoOn);
  EXPECT_EQ(asked(30, narrow_from(26), 0.031, 60), UntilCi::kReached);
}

TEST(UntilCi, GoesOnWithoutAnInterval) {
  std::vector<double> values(12, 5.0);
  values[3] = 40;
  const Summary s = summarise(values, Scale::kLog);
  EXPECT_FALSE(relative_half_width(s));
  EXPECT_EQ(asked(
                20, [&](int64_t) { return s; }, 0.5, 30),
            UntilCi::kGoOn);
}

TEST(UntilCi, TakesTheWiderSide) {
  EXPECT_NEAR(*relative_half_width(within_three_percent(20)), 0.03, 1e-12);
  EXPECT_EQ(asked(20, within_three_percent, 0.02, 30), UntilCi::kGoOn);
  EXPECT_EQ(asked(20, within_three_percent, 0.031, 30), UntilCi::kReached);
}

}  // namespace
}  // namespace assay
