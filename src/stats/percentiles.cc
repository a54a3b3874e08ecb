#include "stats/percentiles.h"

#include <algorithm>
#include <cmath>

#include "stats/incomplete_beta.h"
#include "stats/student_t.h"

namespace assay {
namespace {

constexpr double kAlpha = 1 - kConfidence;
constexpr double kTwoSided = 1 - kAlpha / 2;
/// From here on the normal distribution stands for the binomial: ranks are then right to 1e-4 of
/// their distance, and the continued fraction would need too many terms.
constexpr double kLarge = 20'000;

/// P(the order statistic of `rank` lies above the percentile) among n values.
double above_percentile(double share, double n, double rank) {
  return 1 - incomplete_beta(share, rank, n + 1 - rank);
}

/// The fractional rank that lies above the percentile with probability `miss`, between 1 and n;
/// rank 1 must not do so more often.
double lower_rank(double share, double n, double miss) {
  if (n > kLarge) {
    // Student's t of so many degrees of freedom is the normal distribution.
    const double z = t_quantile(miss, n);
    return std::clamp(n * share + 0.5 + z * std::sqrt(n * share * (1 - share)), 1.0, n);
  }
  double low = 1;
  double high = std::floor(n);
  while (high - low > 1) {
    const double middle = std::floor((low + high) / 2);
    (above_percentile(share, n, middle) <= miss ? low : high) = middle;
  }
  const double too_often = above_percentile(share, n, high);
  if (high <= low || too_often <= miss) return high;
  const double seldom = miss - above_percentile(share, n, low);
  if (seldom <= 0) return low;
  return low + 1 / (1 + low * (1 - share) * (too_often - miss) / ((n - low) * share * seldom));
}

/// The order statistic of a fractional rank.
double at_rank(std::span<const double> sorted, double rank) {
  const auto n = static_cast<double>(sorted.size());
  return *percentile(sorted, std::clamp((rank - 1) / std::max(1.0, n - 1), 0.0, 1.0));
}

}  // namespace

std::optional<double> percentile(std::span<const double> sorted, double share) {
  if (sorted.empty()) return std::nullopt;
  const double position = share * static_cast<double>(sorted.size() - 1);
  const auto below = static_cast<size_t>(position);
  const size_t above = std::min(below + 1, sorted.size() - 1);
  return sorted[below] + (position - static_cast<double>(below)) * (sorted[above] - sorted[below]);
}

std::optional<double> median(std::span<const double> values) {
  if (values.empty()) return std::nullopt;
  // The values around the middle are enough, and far cheaper than an order of all.
  std::vector<double> parted(values.begin(), values.end());
  const auto middle = parted.begin() + (std::ssize(parted) - 1) / 2;
  std::nth_element(parted.begin(), middle, parted.end());
  if (parted.size() % 2 == 1) return *middle;
  const double pair[] = {*middle, *std::min_element(middle + 1, parted.end())};
  return percentile(pair, 0.5);
}

int64_t needed_for_percentile(double share) {
  // Too few by at most the smaller of the two tails.
  auto n = static_cast<int64_t>(std::log(kAlpha) / std::log(std::max(share, 1 - share)));
  while (std::pow(share, n) + std::pow(1 - share, n) > kAlpha) ++n;
  return n;
}

std::optional<Interval> percentile_interval(std::span<const double> sorted, double share,
                                            double effective_n) {
  const double n = std::min(effective_n, static_cast<double>(sorted.size()));
  const double least_below = std::pow(1 - share, n);
  const double least_above = std::pow(share, n);
  if (sorted.empty() || least_below + least_above > kAlpha) return std::nullopt;
  const double above =
      least_below > kAlpha / 2 ? kAlpha - least_below : std::max(kAlpha / 2, least_above);
  const double below = kAlpha - above;
  const double scale = (static_cast<double>(sorted.size()) + 1) / (n + 1);
  return Interval{at_rank(sorted, scale * lower_rank(share, n, below)),
                  at_rank(sorted, scale * (n + 1 - lower_rank(1 - share, n, above)))};
}

std::optional<Interval> percentile_interval(std::span<const double> sorted, double share) {
  return percentile_interval(sorted, share, static_cast<double>(sorted.size()));
}

double clustered_count(std::span<const std::vector<double>> clusters, double share, double value) {
  double all = 0;
  double up_to = 0;
  std::vector<double> counts;
  double m = 0;
  for (const auto& cluster : clusters) {
    if (!cluster.empty()) ++m;
    counts.push_back(static_cast<double>(
        std::count_if(cluster.begin(), cluster.end(), [&](double v) { return v <= value; })));
    all += static_cast<double>(cluster.size());
    up_to += counts.back();
  }
  if (m < 2) return 0;
  double squares = 0;
  for (size_t i = 0; i < clusters.size(); ++i) {
    const double off = counts[i] - up_to / all * static_cast<double>(clusters[i].size());
    squares += off * off;
  }
  const double variance = m / (m - 1) * squares / (all * all);
  if (variance <= 0) return all;
  const double t = t_quantile(kTwoSided, all - 1) / t_quantile(kTwoSided, m - 1);
  return std::min(all, share * (1 - share) / variance * t * t);
}

}  // namespace assay
