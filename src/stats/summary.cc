#include "stats/summary.h"

#include <algorithm>
#include <array>
#include <cmath>
#include <numeric>

#include "stats/student_t.h"

namespace assay {
namespace {

constexpr double kConfidence = 0.95;
constexpr double kOutlierFactor = 3;
constexpr double kMaxLag1 = 0.3;
constexpr std::array kJudgedPercentiles{50, 90, 95, 99};

double as_real(size_t n) { return static_cast<double>(n); }

double mean_of(std::span<const double> values) {
  return std::accumulate(values.begin(), values.end(), 0.0) / as_real(values.size());
}

double sum_of_squares(std::span<const double> values, double mean) {
  double sum = 0;
  for (const double v : values) sum += (v - mean) * (v - mean);
  return sum;
}

bool all_positive(std::span<const double> values) {
  return std::all_of(values.begin(), values.end(), [](double v) { return v > 0; });
}

std::vector<double> logs_of(std::span<const double> values) {
  std::vector<double> logs;
  logs.reserve(values.size());
  for (const double v : values) logs.push_back(std::log(v));
  return logs;
}

/// Which way an outlier would lie: slow calls are high latencies and low rates.
enum class Outliers : uint8_t { kHigh, kBothWays };

/// Why an interval of these values' mean could not be trusted; empty when it could.
std::string_view distrust(std::span<const double> values, Scale scale, Outliers outliers) {
  if (values.size() < static_cast<size_t>(kMinForInterval)) return "few";
  const double middle = *median(values);
  for (const double v : values) {
    if (v > kOutlierFactor * middle) return "outlier";
    if (outliers == Outliers::kBothWays && v < middle / kOutlierFactor) return "outlier";
  }
  const auto lag1 = scale == Scale::kLog && all_positive(values) ? lag1_correlation(logs_of(values))
                                                                 : lag1_correlation(values);
  return lag1 && *lag1 > kMaxLag1 ? "correlated" : "";
}

/// Range and percentiles; `independent` is how many independent values there are at most.
Summary describe(std::span<const double> values, int64_t independent) {
  Summary s;
  s.n = static_cast<int64_t>(values.size());
  if (values.empty()) return s;
  std::vector<double> sorted(values.begin(), values.end());
  std::sort(sorted.begin(), sorted.end());
  s.min = sorted.front();
  s.p1 = percentile(sorted, 0.01);
  s.p5 = percentile(sorted, 0.05);
  s.p10 = percentile(sorted, 0.10);
  s.p50 = percentile(sorted, 0.50);
  s.p90 = percentile(sorted, 0.90);
  s.p95 = percentile(sorted, 0.95);
  s.p99 = percentile(sorted, 0.99);
  s.max = sorted.back();
  for (const int p : kJudgedPercentiles) {
    const bool enough = s.n >= needed_for_percentile(p / 100.0) && independent >= kMinForInterval;
    if (!enough) s.low_n.push_back(p);
  }
  return s;
}

/// ratio ± t * jackknife standard error, leaving out one part at a time.
std::optional<Interval> jackknife_interval(std::span<const derive::Ratio> parts, double ratio) {
  double numerator = 0;
  double denominator = 0;
  for (const auto& part : parts) {
    numerator += part.numerator;
    denominator += part.denominator;
  }
  std::vector<double> without;
  for (const auto& part : parts) {
    if (denominator - part.denominator <= 0) return std::nullopt;
    without.push_back((numerator - part.numerator) / (denominator - part.denominator));
  }
  const double n = as_real(parts.size());
  const double variance = (n - 1) / n * sum_of_squares(without, mean_of(without));
  const double half = t_quantile((1 + kConfidence) / 2, n - 1) * std::sqrt(variance);
  return Interval{ratio - half, ratio + half};
}

}  // namespace

Summary summarise(std::span<const double> values, Scale scale) {
  Summary s = describe(values, static_cast<int64_t>(values.size()));
  if (values.empty()) return s;
  s.mean = mean_of(values);
  s.no_ci95 = distrust(values, scale, scale == Scale::kLog ? Outliers::kHigh : Outliers::kBothWays);
  if (s.no_ci95.empty()) s.ci95 = mean_interval(values, scale);
  return s;
}

Summary summarise_ratio(std::span<const derive::Ratio> parts) {
  std::vector<double> ratios;
  ratios.reserve(parts.size());
  for (const auto& part : parts) ratios.push_back(part.numerator / part.denominator);
  Summary s = describe(ratios, static_cast<int64_t>(ratios.size()));
  s.mean = ratio_of_sums(parts);
  if (!s.mean) return s;
  s.no_ci95 = distrust(ratios, Scale::kLinear, Outliers::kBothWays);
  if (s.no_ci95.empty()) s.ci95 = jackknife_interval(parts, *s.mean);
  return s;
}

Summary summarise_pooled(std::span<const std::vector<double>> clusters) {
  std::vector<double> all;
  std::vector<derive::Ratio> parts;
  for (const auto& cluster : clusters) {
    if (cluster.empty()) continue;
    all.insert(all.end(), cluster.begin(), cluster.end());
    parts.push_back(
        {std::accumulate(cluster.begin(), cluster.end(), 0.0), as_real(cluster.size())});
  }
  Summary s = describe(all, static_cast<int64_t>(parts.size()));
  if (all.empty()) return s;
  s.mean = mean_of(all);
  std::vector<double> means;
  means.reserve(parts.size());
  for (const auto& part : parts) means.push_back(part.numerator / part.denominator);
  s.no_ci95 = static_cast<int64_t>(parts.size()) < kMinPooledCalls
                  ? "few"
                  : distrust(means, Scale::kLinear, Outliers::kBothWays);
  if (s.no_ci95.empty()) s.ci95 = jackknife_interval(parts, *s.mean);
  return s;
}

std::optional<double> ratio_of_sums(std::span<const derive::Ratio> parts) {
  double numerator = 0;
  double denominator = 0;
  for (const auto& part : parts) {
    numerator += part.numerator;
    denominator += part.denominator;
  }
  if (denominator <= 0) return std::nullopt;
  return numerator / denominator;
}

std::optional<double> percentile(std::span<const double> sorted, double share) {
  if (sorted.empty()) return std::nullopt;
  const double position = share * as_real(sorted.size() - 1);
  const auto below = static_cast<size_t>(position);
  const size_t above = std::min(below + 1, sorted.size() - 1);
  return sorted[below] + (position - as_real(below)) * (sorted[above] - sorted[below]);
}

std::optional<double> median(std::span<const double> values) {
  std::vector<double> sorted(values.begin(), values.end());
  std::sort(sorted.begin(), sorted.end());
  return percentile(sorted, 0.5);
}

int64_t needed_for_percentile(double share) {
  int64_t n = 1;
  while (std::pow(share, n) + std::pow(1 - share, n) > 1 - kConfidence) ++n;
  return n;
}

std::optional<Interval> mean_interval(std::span<const double> values, Scale scale) {
  if (values.size() < static_cast<size_t>(kMinForInterval)) return std::nullopt;
  const double n = as_real(values.size());
  const double mean = mean_of(values);
  const double t = t_quantile((1 + kConfidence) / 2, n - 1);
  if (scale == Scale::kLog && all_positive(values)) {
    const std::vector<double> logs = logs_of(values);
    const double variance = sum_of_squares(logs, mean_of(logs)) / (n - 1);
    const double half = t * std::sqrt(variance / n + variance * variance / (2 * (n - 1)));
    return Interval{mean * std::exp(-half), mean * std::exp(half)};
  }
  const double half = t * std::sqrt(sum_of_squares(values, mean) / (n - 1) / n);
  return Interval{mean - half, mean + half};
}

std::optional<double> lag1_correlation(std::span<const double> values) {
  if (values.size() < 3) return std::nullopt;
  const double mean = mean_of(values);
  const double spread = sum_of_squares(values, mean);
  // Rounding alone must not look like a trend in values that are all the same.
  if (spread <= 1e-18 * mean * mean * as_real(values.size())) return std::nullopt;
  double together = 0;
  for (size_t i = 1; i < values.size(); ++i)
    together += (values[i - 1] - mean) * (values[i] - mean);
  return together / spread;
}

std::optional<Line> fit_line(std::span<const Point> points) {
  if (points.size() < 2) return std::nullopt;
  double x = 0;
  double y = 0;
  for (const Point& p : points) {
    x += p.x;
    y += p.y;
  }
  x /= as_real(points.size());
  y /= as_real(points.size());
  double xx = 0;
  double xy = 0;
  for (const Point& p : points) {
    xx += (p.x - x) * (p.x - x);
    xy += (p.x - x) * (p.y - y);
  }
  if (xx <= 0) return std::nullopt;
  return Line{xy / xx, y - xy / xx * x};
}

}  // namespace assay
