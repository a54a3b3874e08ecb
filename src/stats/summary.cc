#include "stats/summary.h"

#include <algorithm>
#include <array>
#include <cmath>
#include <map>
#include <numeric>

#include "stats/student_t.h"

namespace assay {
namespace {

constexpr double kOutlierFactor = 3;
constexpr uint64_t kBootstrapSeed = 0x5eed;
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

/// The lag-1 correlation on the scale that the interval is made on.
double correlation_of(std::span<const double> values, Scale scale) {
  if (scale == Scale::kLog && all_positive(values)) return autocorrelation(logs_of(values));
  return autocorrelation(values);
}

/// Why an interval of these values' mean could not be trusted; empty when it could. `middle` is
/// their median.
std::string_view distrust(std::span<const double> values, double middle, double correlation,
                          Outliers outliers) {
  if (values.size() < static_cast<size_t>(kMinForInterval)) return "few";
  for (const double v : values) {
    if (v > kOutlierFactor * middle) return "outlier";
    if (outliers == Outliers::kBothWays && v < middle / kOutlierFactor) return "outlier";
  }
  return correlation >= kMaxCorrelation ? "correlated" : "";
}

void set_low(int64_t independent, Summary& s) {
  for (const int p : kJudgedPercentiles) {
    const bool enough = s.n >= needed_for_percentile(p / 100.0) && independent >= kMinForInterval;
    if (!enough) s.low_n.push_back(p);
  }
}

/// Range and percentiles; `independent` is how many independent values there are at most.
Summary describe(std::span<const double> sorted, int64_t independent) {
  Summary s;
  s.n = static_cast<int64_t>(sorted.size());
  if (sorted.empty()) return s;
  s.min = sorted.front();
  s.p1 = percentile(sorted, 0.01);
  s.p5 = percentile(sorted, 0.05);
  s.p10 = percentile(sorted, 0.10);
  s.p50 = percentile(sorted, 0.50);
  s.p90 = percentile(sorted, 0.90);
  s.p95 = percentile(sorted, 0.95);
  s.p99 = percentile(sorted, 0.99);
  s.max = sorted.back();
  set_low(independent, s);
  return s;
}

std::vector<double> sorted_of(std::span<const double> values) {
  std::vector<double> sorted(values.begin(), values.end());
  std::sort(sorted.begin(), sorted.end());
  return sorted;
}

/// Puts an interval for independent values into `s`, longer by widening(a) on both sides of the
/// mean, on its own scale.
void set_interval(const std::optional<Interval>& interval, Scale scale, double a, double degrees,
                  Summary& s) {
  if (!interval) return;
  const double wide = widening(a, static_cast<int64_t>(degrees) + 1);
  if (scale == Scale::kLog && interval->low > 0) {
    s.ci95 = Interval{*s.mean * std::pow(interval->low / *s.mean, wide),
                      *s.mean * std::pow(interval->high / *s.mean, wide)};
  } else {
    s.ci95 = Interval{*s.mean - wide * (*s.mean - interval->low),
                      *s.mean + wide * (interval->high - *s.mean)};
  }
  s.degrees = degrees;
  s.standard_error = known_widening(a) * (interval->high - interval->low) / 2 /
                     t_quantile((1 + kConfidence) / 2, degrees);
}

/// `count_of` gives as how many independent values the sample counts for a percentile.
template <class F>
void set_percentile_intervals(std::span<const double> sorted, F&& count_of, Summary& s) {
  const auto interval = [&](double share, const std::optional<double>& value) {
    return percentile_interval(sorted, share, count_of(share, *value));
  };
  s.p50_ci95 = interval(0.50, s.p50);
  // The widest interval there is still holds the median of correlated values.
  if (!s.p50_ci95 && s.n >= needed_for_percentile(0.5)) s.p50_ci95 = Interval{*s.min, *s.max};
  s.p1_ci95 = interval(0.01, s.p1);
  s.p5_ci95 = interval(0.05, s.p5);
  s.p10_ci95 = interval(0.10, s.p10);
  s.p90_ci95 = interval(0.90, s.p90);
  s.p95_ci95 = interval(0.95, s.p95);
  s.p99_ci95 = interval(0.99, s.p99);
}

/// By cluster, unless there is a reason for none.
void set_pooled_interval(std::span<const derive::Ratio> parts, double a, Summary& s) {
  if (!s.no_ci95.empty()) return;
  const bool many = static_cast<int64_t>(parts.size()) > kMaxBootstrapCalls;
  const auto interval =
      many ? jackknife_interval(parts) : bootstrap_interval(parts, kBootstrapSeed);
  set_interval(interval, Scale::kLinear, a, as_real(parts.size()) - 1, s);
}

}  // namespace

Summary summarise(std::span<const double> values, Scale scale) {
  return summarise(values, scale, scale == Scale::kLog ? Outliers::kHigh : Outliers::kBothWays);
}

Summary summarise(std::span<const double> values, Scale scale, Outliers outliers) {
  const std::vector<double> sorted = sorted_of(values);
  Summary s = describe(sorted, static_cast<int64_t>(values.size()));
  if (values.empty()) return s;
  s.mean = mean_of(values);
  const double a = correlation_of(values, scale);
  const double count = effective_count(a, s.n);
  set_percentile_intervals(
      sorted, [&](double, double) { return count; }, s);
  s.no_ci95 = distrust(values, *s.p50, a, outliers);
  if (!s.no_ci95.empty()) return s;
  set_interval(mean_interval(values, scale), scale, a, as_real(values.size()) - 1, s);
  return s;
}

Summary summarise_ratio(std::span<const derive::Ratio> parts) {
  std::vector<double> ratios;
  ratios.reserve(parts.size());
  for (const auto& part : parts) ratios.push_back(part.numerator / part.denominator);
  const std::vector<double> sorted = sorted_of(ratios);
  Summary s = describe(sorted, static_cast<int64_t>(ratios.size()));
  s.mean = ratio_of_sums(parts);
  if (!s.mean) return s;
  const double a = correlation_of(ratios, Scale::kLinear);
  const double count = effective_count(a, s.n);
  set_percentile_intervals(
      sorted, [&](double, double) { return count; }, s);
  s.no_ci95 = distrust(ratios, *s.p50, a, Outliers::kBothWays);
  if (!s.no_ci95.empty()) return s;
  set_interval(jackknife_interval(parts), Scale::kLinear, a, as_real(parts.size()) - 1, s);
  return s;
}

Summary summarise_pooled(std::span<const std::vector<double>> clusters) {
  std::vector<double> all;
  std::vector<derive::Ratio> parts;
  std::vector<double> means;
  for (const auto& cluster : clusters) {
    if (cluster.empty()) continue;
    all.insert(all.end(), cluster.begin(), cluster.end());
    parts.push_back(
        {std::accumulate(cluster.begin(), cluster.end(), 0.0), as_real(cluster.size())});
    means.push_back(parts.back().numerator / parts.back().denominator);
  }
  const auto calls = static_cast<int64_t>(parts.size());
  const double mean = all.empty() ? 0 : mean_of(all);
  std::sort(all.begin(), all.end());
  Summary s = describe(all, calls);
  if (all.empty()) return s;
  s.mean = mean;
  const double a = correlation_of(means, Scale::kLinear);
  s.no_ci95 = calls < kMinPooledCalls
                  ? "few"
                  : distrust(means, median(means).value_or(0), a, Outliers::kBothWays);
  if (calls < kMinPooledCalls) return s;
  const double share_left = effective_count(a, calls) / as_real(parts.size());
  set_percentile_intervals(
      all, [&](double p, double value) { return share_left * clustered_count(clusters, p, value); },
      s);
  set_pooled_interval(parts, a, s);
  return s;
}

Summary summarise_counted(const CountedValues& values, std::span<const derive::Ratio> parts) {
  Summary s;
  s.n = values.n;
  if (s.n == 0) return s;
  s.min = values.min;
  s.p1 = values.percentile(0.01);
  s.p5 = values.percentile(0.05);
  s.p10 = values.percentile(0.10);
  s.p50 = values.percentile(0.50);
  s.p90 = values.percentile(0.90);
  s.p95 = values.percentile(0.95);
  s.p99 = values.percentile(0.99);
  s.max = values.max;
  const auto calls = static_cast<int64_t>(parts.size());
  set_low(calls, s);
  s.mean = ratio_of_sums(parts);
  std::vector<double> means;
  for (const auto& part : parts) means.push_back(part.numerator / part.denominator);
  const double a = correlation_of(means, Scale::kLinear);
  s.no_ci95 = calls < kMinPooledCalls
                  ? "few"
                  : distrust(means, median(means).value_or(0), a, Outliers::kBothWays);
  set_pooled_interval(parts, a, s);
  return s;
}

Summary by_restart(Summary summary, std::span<const derive::Ratio> parts,
                   std::span<const int64_t> restarts) {
  std::map<int64_t, std::vector<derive::Ratio>> groups;
  for (size_t i = 0; i < parts.size(); ++i) groups[restarts[i]].push_back(parts[i]);
  if (groups.size() < 2 || !summary.mean) return summary;
  std::vector<std::vector<derive::Ratio>> units;
  for (auto& [restart, calls] : groups) units.push_back(std::move(calls));
  summary.ci95.reset();
  summary.standard_error.reset();
  const auto interval = restart_interval(units, kBootstrapSeed);
  summary.no_ci95 = interval ? "" : "few_restarts";
  set_interval(interval, Scale::kLinear, 0, as_real(units.size()) - 1, summary);
  return summary;
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
