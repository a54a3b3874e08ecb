#include "stats/stationarity.h"

#include <algorithm>
#include <cmath>
#include <numbers>
#include <vector>

#include "stats/correlation.h"
#include "stats/percentiles.h"

namespace assay {
namespace {

constexpr size_t kBatch = 5;
constexpr double kAgreeLevel = 0.05;

double mean_of(std::span<const double> values) {
  double sum = 0;
  for (const double v : values) sum += v;
  return sum / static_cast<double>(values.size());
}

/// Means of successive blocks of `size`; a last block that is not full is left out.
std::vector<double> block_means(std::span<const double> values, size_t size) {
  std::vector<double> means;
  for (size_t at = 0; at + size <= values.size(); at += size) {
    means.push_back(mean_of(values.subspan(at, size)));
  }
  return means;
}

/// Kendall's S: pairs that rise less pairs that fall.
double kendall(std::span<const double> values) {
  int64_t s = 0;
  for (size_t i = 0; i < values.size(); ++i) {
    for (size_t j = i + 1; j < values.size(); ++j) {
      s += values[j] > values[i] ? 1 : values[j] < values[i] ? -1 : 0;
    }
  }
  return static_cast<double>(s);
}

/// The variance of S among independent values, ties considered.
double kendall_variance(std::span<const double> values) {
  const auto weight = [](double n) { return n * (n - 1) * (2 * n + 5) / 18; };
  std::vector<double> sorted(values.begin(), values.end());
  std::sort(sorted.begin(), sorted.end());
  double variance = weight(static_cast<double>(sorted.size()));
  for (size_t i = 0; i < sorted.size();) {
    size_t j = i;
    while (j < sorted.size() && sorted[j] == sorted[i]) ++j;
    variance -= weight(static_cast<double>(j - i));
    i = j;
  }
  return variance;
}

/// The median slope per value over all pairs.
double sen_slope(std::span<const double> values) {
  std::vector<double> slopes;
  slopes.reserve(values.size() * (values.size() - 1) / 2);
  for (size_t i = 0; i < values.size(); ++i) {
    for (size_t j = i + 1; j < values.size(); ++j) {
      slopes.push_back((values[j] - values[i]) / static_cast<double>(j - i));
    }
  }
  return *median(slopes);
}

double two_sided(double z) { return std::erfc(std::fabs(z) / std::numbers::sqrt2); }

Trend trend_of(std::span<const double> values) {
  Trend trend;
  const double slope = sen_slope(values);
  const double middle = *median(values);
  if (middle != 0) trend.change = slope * static_cast<double>(values.size() - 1) / middle;
  std::vector<double> rest(values.begin(), values.end());
  for (size_t i = 0; i < rest.size(); ++i) rest[i] -= slope * static_cast<double>(i);
  const double wide = widening(autocorrelation(rest), static_cast<int64_t>(values.size()));
  const double variance = kendall_variance(values) * wide * wide;
  const double s = kendall(values);
  if (variance <= 0 || s == 0) return trend;
  // Less 1 towards 0: S is a whole number, the normal distribution is not.
  trend.p_value = two_sided((std::fabs(s) - 1) / std::sqrt(variance));
  return trend;
}

/// Median over median, less one. Absent where there is nothing to divide by.
std::optional<double> change_of(std::span<const double> from, std::span<const double> to) {
  const auto before = median(from);
  const auto after = median(to);
  if (!before || !after || *before == 0) return std::nullopt;
  return *after / *before - 1;
}

}  // namespace

int64_t Stationarity::suggested_warmup() const {
  return std::fabs(warmup_change.value_or(0)) > kSmallChange ? warmup : 0;
}

int64_t mser5(std::span<const double> values) {
  if (values.size() < static_cast<size_t>(kMinCrop)) return 0;
  const std::vector<double> means = block_means(values, kBatch);
  const double middle = *median(means);
  const size_t most = means.size() / 3;
  // From the end on: sums over the batches that would be kept.
  double sum = 0;
  double squares = 0;
  double least = INFINITY;
  size_t cut = 0;
  for (size_t d = means.size(); d-- > 0;) {
    const double off = means[d] - middle;
    sum += off;
    squares += off * off;
    if (d > most) continue;
    const auto kept = static_cast<double>(means.size() - d);
    const double statistic = std::max(0.0, squares - sum * sum / kept) / (kept * kept);
    if (statistic <= least) {
      least = statistic;
      cut = d;
    }
  }
  return static_cast<int64_t>(cut * kBatch);
}

std::optional<Trend> find_trend(std::span<const double> values) {
  if (values.size() < static_cast<size_t>(kMinTrend)) return std::nullopt;
  const size_t most = kMaxTrendPoints;
  if (values.size() <= most) return trend_of(values);
  return trend_of(block_means(values, (values.size() + most - 1) / most));
}

Stationarity judge_course(std::span<const double> latencies) {
  Stationarity result;
  result.warmup = mser5(latencies);
  const auto warmup = static_cast<size_t>(result.warmup);
  result.warmup_change = change_of(latencies.subspan(warmup), latencies.first(warmup));
  result.trend = find_trend(latencies.subspan(warmup));
  if (!result.trend) return result;
  const size_t tenth = latencies.size() / 10;
  result.first_to_last = change_of(latencies.first(tenth), latencies.last(tenth));
  bool moves = result.trend->p_value < kTrendLevel;
  const Trend whole = *find_trend(latencies);
  const bool agree = whole.change * result.trend->change > 0;
  if (agree && whole.p_value < kTrendLevel && result.trend->p_value < kAgreeLevel) {
    moves = true;
    result.trend = whole;
  }
  result.course = Course::kStationary;
  if (moves && std::fabs(result.trend->change) > kSmallChange) {
    result.course =
        result.trend->change >= kSaturatedChange ? Course::kSaturated : Course::kDrifting;
  }
  return result;
}

}  // namespace assay
