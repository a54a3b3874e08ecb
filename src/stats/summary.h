#pragma once

#include <cstdint>
#include <functional>
#include <optional>
#include <span>
#include <string_view>
#include <vector>

#include "stats/correlation.h"
#include "stats/derive.h"
#include "stats/interval.h"
#include "stats/percentiles.h"
#include "stats/ratio.h"

namespace assay {

/// What a number of values says. All absent at n = 0.
struct Summary {
  int64_t n = 0;
  std::optional<double> mean;
  /// Of the mean of ordinary calls, those within 3 times the median. Absent for a reason:
  /// `no_ci95`.
  std::optional<Interval> ci95;
  /// `few` (n < 6), `outlier` (a value beyond 3 times the median: what such calls do to the mean n
  /// values cannot tell), `correlated` (autocorrelation() of kMaxCorrelation: the values drift).
  /// Correlation below that makes the interval longer. `few_restarts`: by_restart(). Empty when
  /// there is an interval.
  std::string_view no_ci95;
  /// Of the mean, where there is an interval of it, for putting means together; and its degrees of
  /// freedom. It holds known_widening() only: in a sum the rest averages out.
  std::optional<double> standard_error;
  double degrees = 0;
  std::optional<double> min, p1, p5, p10, p50, p90, p95, p99, max;
  /// Those of 50, 90, 95 and 99 whose 95 % interval from order statistics cannot exist at this n.
  std::vector<int> low_n;
  /// percentile_interval() of the values, correlated ones counting as fewer; of pooled values from
  /// kMinPooledCalls clusters on.
  std::optional<Interval> p1_ci95, p5_ci95, p10_ci95, p50_ci95, p90_ci95, p95_ci95, p99_ci95;
};

/// `summary` with the interval of its mean by restart_interval(), where its calls belong to more
/// than one restart of the engine: what calls of one restart share is no noise. `parts` and
/// `restarts` are those of the calls. `few_restarts` below kMinRestarts.
Summary by_restart(Summary summary, std::span<const derive::Ratio> parts,
                   std::span<const int64_t> restarts);

/// Which scale the interval of the mean is made on. Latencies are skewed: kLog.
enum class Scale : uint8_t { kLinear, kLog };

/// Where outliers withhold the interval of the mean: above 3 times the median, where slow calls are
/// among latencies, or also below a third of it, where they are among rates.
enum class Outliers : uint8_t { kHigh, kBothWays };

/// Values in the order they were measured: the interval looks at their correlation. The mean is
/// arithmetic.
Summary summarise(std::span<const double> values, Scale scale, Outliers outliers);
/// kLog: latencies, kHigh; kLinear: kBothWays.
Summary summarise(std::span<const double> values, Scale scale);

/// A rate over calls: the mean is the ratio of sums, the interval jackknife_interval() by call;
/// percentiles are those of the single calls' ratios.
Summary summarise_ratio(std::span<const derive::Ratio> parts);

/// Values that come in clusters, a call's gaps: the mean over all, its interval from
/// kMinPooledCalls clusters on bootstrap_interval() by cluster, above kMaxBootstrapCalls, where
/// both agree, jackknife_interval(). Intervals of percentiles are by cluster too. With fewer than 6
/// clusters every percentile is low.
Summary summarise_pooled(std::span<const std::vector<double>> clusters);
inline constexpr int64_t kMinPooledCalls = kMinBootstrapParts;
inline constexpr int64_t kMaxBootstrapCalls = 2000;

/// As summarise_pooled() where the values themselves were not kept: `percentile` gives theirs, and
/// `parts` each cluster's sum and number. Percentiles have no intervals.
struct CountedValues {
  int64_t n = 0;
  double min = 0;
  double max = 0;
  std::function<double(double share)> percentile;
};
Summary summarise_counted(const CountedValues& values, std::span<const derive::Ratio> parts);

/// The 95 % interval of the mean of independent values, absent below kMinForInterval.
/// kLinear: mean ± t(n-1) * s / sqrt(n).
/// kLog: with s the deviation of the logarithms, [mean * exp(-h), mean * exp(h)],
/// h = t(n-1) * sqrt(s^2/n + s^4/(2(n-1))). That is the width of Olsson's modified Cox interval for
/// a lognormal mean (J. Stat. Educ. 13(1), 2005), laid around the arithmetic mean, so that it
/// always holds the mean that is printed. Values that are not positive fall back to kLinear.
std::optional<Interval> mean_interval(std::span<const double> values, Scale scale);
inline constexpr int64_t kMinForInterval = 6;

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
