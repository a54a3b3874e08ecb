#pragma once

#include <cstdint>
#include <optional>
#include <span>
#include <string_view>
#include <vector>

#include "stats/derive.h"

namespace assay {

/// A closed interval; 95 % confidence unless said otherwise.
struct Interval {
  double low = 0;
  double high = 0;
};

/// What a number of values says. All absent at n = 0.
struct Summary {
  int64_t n = 0;
  std::optional<double> mean;
  std::optional<Interval> ci95;  ///< Of the mean. Absent for a reason: `no_ci95`.
  /// `few` (n < 6), `outlier` (a value beyond 3 times the median), `correlated` (lag-1 correlation
  /// above 0.3); empty when there is an interval.
  std::string_view no_ci95;
  std::optional<double> min, p1, p5, p10, p50, p90, p95, p99, max;
  /// Those of 50, 90, 95 and 99 whose 95 % interval from order statistics cannot exist at this n.
  std::vector<int> low_n;
};

/// Which scale the interval of the mean is made on. Latencies are skewed: kLog.
enum class Scale : uint8_t { kLinear, kLog };

/// Values in the order they were measured: the interval looks at their correlation. The mean is
/// arithmetic.
Summary summarise(std::span<const double> values, Scale scale);

/// A rate over calls: the mean is the ratio of sums, the interval a jackknife by call,
/// ratio ± t(n-1) * sqrt((n-1)/n * sum (r_i - mean r)^2) with r_i the ratio without call i;
/// percentiles are those of the single calls' ratios.
Summary summarise_ratio(std::span<const derive::Ratio> parts);

/// Values that come in clusters, a call's gaps: the mean over all, its interval a jackknife by
/// cluster from kMinPooledCalls clusters on. With fewer than 6 clusters every percentile is low.
Summary summarise_pooled(std::span<const std::vector<double>> clusters);
inline constexpr int64_t kMinPooledCalls = 20;

/// The ratio of sums. Absent when the denominators add up to nothing.
std::optional<double> ratio_of_sums(std::span<const derive::Ratio> parts);

/// Type 7 (linear interpolation between order statistics), `share` in [0, 1]. `sorted` ascends.
/// Absent when empty.
std::optional<double> percentile(std::span<const double> sorted, double share);
std::optional<double> median(std::span<const double> values);

/// Values needed before the 95 % interval of a percentile can exist, from
/// share^n + (1 - share)^n <= 0.05: 6, 29, 59 and 299 for p50, p90, p95 and p99.
int64_t needed_for_percentile(double share);

/// The 95 % interval of the mean of independent values; absent below kMinForInterval.
/// kLinear: mean ± t(n-1) * s / sqrt(n).
/// kLog: with s the deviation of the logarithms, [mean * exp(-h), mean * exp(h)],
/// h = t(n-1) * sqrt(s^2/n + s^4/(2(n-1))). That is the width of Olsson's modified Cox interval for
/// a lognormal mean (J. Stat. Educ. 13(1), 2005), laid around the arithmetic mean, so that it
/// always holds the mean that is printed. Values that are not positive fall back to kLinear.
std::optional<Interval> mean_interval(std::span<const double> values, Scale scale);
inline constexpr int64_t kMinForInterval = 6;

/// Correlation of each value with the next. Absent below 3 values or without spread.
std::optional<double> lag1_correlation(std::span<const double> values);

/// Least squares through the points. Absent below two distinct x.
struct Line {
  double slope = 0;
  double intercept = 0;
};
struct Point {
  double x = 0;
  double y = 0;
};
std::optional<Line> fit_line(std::span<const Point> points);

}  // namespace assay
