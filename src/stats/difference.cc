#include "stats/difference.h"

#include <algorithm>
#include <cmath>
#include <limits>
#include <numeric>

#include "stats/student_t.h"

namespace assay {
namespace {

constexpr double kCorrelated = 0.3;
/// Above it too little is left to say anything about; keeps (1 + r) / (1 - r) finite.
constexpr double kMaxCorrelation = 0.95;
constexpr double kAlpha = 0.05;
constexpr double kPower = 0.9;  // So that eight of ten are found in nearly every series of runs.

double as_real(size_t n) { return static_cast<double>(n); }

std::optional<std::vector<double>> logs_of(std::span<const double> values) {
  std::vector<double> logs;
  logs.reserve(values.size());
  for (const double value : values) {
    if (!(value > 0) || !std::isfinite(value)) return std::nullopt;
    logs.push_back(std::log(value));
  }
  return logs;
}

LogMean side_of(const std::vector<double>& logs) {
  const double n = as_real(logs.size());
  const double mean = std::accumulate(logs.begin(), logs.end(), 0.0) / n;
  double squares = 0;
  for (const double x : logs) squares += (x - mean) * (x - mean);
  const double r = std::min(lag1_correlation(logs).value_or(0), kMaxCorrelation);
  const double inflation = r > kCorrelated ? (1 + r) / (1 - r) : 1;
  return {mean, std::sqrt(squares / (n - 1) / n * inflation), std::max(1.0, n / inflation - 1)};
}

/// Degrees of freedom of a sum of variances.
double welch_df(std::span<const double> variances, std::span<const double> dfs) {
  double sum = 0;
  double weighted = 0;
  for (size_t i = 0; i < variances.size(); ++i) {
    sum += variances[i];
    weighted += variances[i] * variances[i] / dfs[i];
  }
  if (weighted > 0) return sum * sum / weighted;
  return *std::max_element(dfs.begin(), dfs.end());
}

/// Of an estimate's 95 % interval.
template <class Estimate>
double half_width(const Estimate& e) {
  return t_quantile(1 - kAlpha / 2, e.df) * e.standard_error;
}

/// The interval's half width if each side had `factor` times as many units.
double half_width_at(const Difference& d, double factor) {
  return t_quantile(1 - kAlpha / 2, std::max(1.0, d.df * factor)) * d.standard_error /
         std::sqrt(factor);
}

}  // namespace

double Difference::change() const { return std::expm1(log_ratio); }

Interval Difference::ci95() const {
  const double half = half_width(*this);
  return {std::expm1(log_ratio - half), std::expm1(log_ratio + half)};
}

Interval LogMean::ci95() const {
  const double half = half_width(*this);
  return {std::exp(log_mean - half), std::exp(log_mean + half)};
}

std::optional<LogMean> log_mean_of(std::span<const double> values) {
  if (values.size() < static_cast<size_t>(kMinForDifference)) return std::nullopt;
  const auto logs = logs_of(values);
  if (!logs) return std::nullopt;
  return side_of(*logs);
}

std::optional<LogMean> log_mean_over_strata(std::span<const LogMean> strata) {
  if (strata.empty()) return std::nullopt;
  const double weight = 1 / as_real(strata.size());
  LogMean all;
  std::vector<double> variances;
  std::vector<double> dfs;
  for (const LogMean& one : strata) {
    all.log_mean += weight * one.log_mean;
    variances.push_back(weight * weight * one.standard_error * one.standard_error);
    dfs.push_back(one.df);
  }
  all.standard_error = std::sqrt(std::accumulate(variances.begin(), variances.end(), 0.0));
  all.df = welch_df(variances, dfs);
  return all;
}

double Difference::p_value() const {
  if (standard_error <= 0) return log_ratio == 0 ? 1 : 0;
  return 2 * (1 - t_probability(std::fabs(log_ratio) / standard_error, df));
}

std::optional<Difference> difference_between(std::span<const double> base,
                                             std::span<const double> now) {
  const auto least = static_cast<size_t>(kMinForDifference);
  if (base.size() < least || now.size() < least) return std::nullopt;
  const auto base_logs = logs_of(base);
  const auto now_logs = logs_of(now);
  if (!base_logs || !now_logs) return std::nullopt;
  const LogMean a = side_of(*base_logs);
  const LogMean b = side_of(*now_logs);
  const std::array variances{a.standard_error * a.standard_error,
                             b.standard_error * b.standard_error};
  return Difference{b.log_mean - a.log_mean, std::sqrt(variances[0] + variances[1]),
                    welch_df(variances, std::array{a.df, b.df}), static_cast<int64_t>(base.size()),
                    static_cast<int64_t>(now.size())};
}

std::optional<Difference> paired_difference(std::span<const double> base,
                                            std::span<const double> now) {
  const size_t pairs = std::min(base.size(), now.size());
  if (pairs < static_cast<size_t>(kMinForDifference)) return std::nullopt;
  const auto base_logs = logs_of(base.first(pairs));
  auto logs = logs_of(now.first(pairs));
  if (!base_logs || !logs) return std::nullopt;
  for (size_t i = 0; i < pairs; ++i) (*logs)[i] -= (*base_logs)[i];
  const LogMean side = side_of(*logs);
  return Difference{side.log_mean, side.standard_error, side.df, static_cast<int64_t>(pairs),
                    static_cast<int64_t>(pairs)};
}

std::optional<Difference> over_strata(std::span<const Difference> strata) {
  if (strata.empty()) return std::nullopt;
  const double weight = 1 / as_real(strata.size());
  Difference all;
  all.base_n = all.new_n = std::numeric_limits<int64_t>::max();
  std::vector<double> variances;
  std::vector<double> dfs;
  for (const Difference& one : strata) {
    all.log_ratio += weight * one.log_ratio;
    variances.push_back(weight * weight * one.standard_error * one.standard_error);
    dfs.push_back(one.df);
    all.base_n = std::min(all.base_n, one.base_n);
    all.new_n = std::min(all.new_n, one.new_n);
  }
  all.standard_error = std::sqrt(std::accumulate(variances.begin(), variances.end(), 0.0));
  all.df = welch_df(variances, dfs);
  return all;
}

double Tolerance::beyond() const { return std::max(same, 2 * noise_floor.value_or(0)); }

Verdict judge(const Difference& difference, Better better, const Tolerance& tolerance) {
  const Interval ci = difference.ci95();
  const double change = difference.change();
  if (ci.low >= -tolerance.same && ci.high <= tolerance.same) return Verdict::kSame;
  const bool excludes_zero = ci.low > 0 || ci.high < 0;
  if (!excludes_zero || std::fabs(change) <= tolerance.beyond() || better == Better::kNeither) {
    return Verdict::kUnclear;
  }
  return (change > 0) == (better == Better::kHigher) ? Verdict::kBetter : Verdict::kWorse;
}

std::optional<int64_t> more_repetitions(const Difference& difference, const Tolerance& tolerance) {
  const double size = std::fabs(difference.log_ratio);
  const double same = std::log1p(tolerance.same);
  // Far enough away: the interval has to leave 0. Near enough: it has to fit into the tolerance.
  double target = 0;
  if (std::fabs(difference.change()) > tolerance.beyond()) {
    target = size;
  } else if (size < same) {
    target = same - size;
  }
  if (target <= 0) return std::nullopt;
  const int64_t units = std::min(difference.base_n, difference.new_n);
  const auto settled = [&](int64_t more) {
    const double factor = static_cast<double>(units + more) / static_cast<double>(units);
    return half_width_at(difference, factor) < target;
  };
  if (!settled(kMaxMoreRepetitions)) return std::nullopt;
  int64_t low = 0;
  int64_t high = kMaxMoreRepetitions;
  while (low < high) {
    const int64_t middle = (low + high) / 2;
    if (settled(middle)) {
      high = middle;
    } else {
      low = middle + 1;
    }
  }
  return low;
}

namespace {

/// By how much the median estimate of a standard error falls short of the true one: the root of
/// chi-squared's mean over its median, by Wilson and Hilferty's approximation (PNAS 17, 1931).
double median_shortfall(double df) { return std::pow(1 - 2 / (9 * df), -1.5); }

}  // namespace

double detectable_change(const Difference& difference, const Tolerance& tolerance) {
  const double growth = median_shortfall(difference.df);
  const double leaves_zero = growth * half_width(difference);
  const double matters = std::log1p(tolerance.beyond());
  const double scatter = growth * t_quantile(kPower, difference.df) * difference.standard_error;
  return std::expm1(std::max(leaves_zero, matters) + scatter);
}

std::vector<double> holm(std::span<const double> p_values) {
  std::vector<size_t> order(p_values.size());
  std::iota(order.begin(), order.end(), size_t{0});
  std::stable_sort(order.begin(), order.end(),
                   [&](size_t a, size_t b) { return p_values[a] < p_values[b]; });
  std::vector<double> adjusted(p_values.size());
  double highest = 0;
  for (size_t rank = 0; rank < order.size(); ++rank) {
    const double p = std::min(1.0, p_values[order[rank]] * as_real(order.size() - rank));
    highest = std::max(highest, p);
    adjusted[order[rank]] = highest;
  }
  return adjusted;
}

}  // namespace assay
