#include "stats/ratio.h"

#include <algorithm>
#include <array>
#include <cmath>

#include "base/random.h"
#include "stats/student_t.h"

namespace assay {
namespace {

using derive::Ratio;

constexpr double kTwoSided = (1 + kConfidence) / 2;

Ratio sum_of(std::span<const Ratio> parts) {
  Ratio sum;
  for (const Ratio& part : parts) {
    sum.numerator += part.numerator;
    sum.denominator += part.denominator;
  }
  return sum;
}

/// A ratio of sums with its linearised standard error.
struct Studentised {
  double ratio = 0;
  double error = 0;
};

/// From the sums over n parts of x, y, x x, x y and y y.
struct Moments {
  double x = 0, y = 0, xx = 0, xy = 0, yy = 0;

  void add(const Ratio& part) {
    x += part.numerator;
    y += part.denominator;
    xx += part.numerator * part.numerator;
    xy += part.numerator * part.denominator;
    yy += part.denominator * part.denominator;
  }
  [[nodiscard]] Studentised studentised(double n) const {
    const double ratio = x / y;
    const double squares = xx - 2 * ratio * xy + ratio * ratio * yy;
    return {ratio, std::sqrt(std::max(0.0, n / (n - 1) * squares)) / y};
  }
};

}  // namespace

std::optional<double> ratio_of_sums(std::span<const Ratio> parts) {
  const Ratio sum = sum_of(parts);
  if (sum.denominator <= 0) return std::nullopt;
  return sum.numerator / sum.denominator;
}

std::optional<Interval> jackknife_interval(std::span<const Ratio> parts) {
  const Ratio sum = sum_of(parts);
  if (parts.size() < 2 || sum.denominator <= 0) return std::nullopt;
  std::vector<double> without;
  without.reserve(parts.size());
  double total = 0;
  for (const Ratio& part : parts) {
    if (sum.denominator - part.denominator <= 0) return std::nullopt;
    without.push_back((sum.numerator - part.numerator) / (sum.denominator - part.denominator));
    total += without.back();
  }
  const auto n = static_cast<double>(parts.size());
  double squares = 0;
  for (const double r : without) squares += (r - total / n) * (r - total / n);
  const double half = t_quantile(kTwoSided, n - 1) * std::sqrt((n - 1) / n * squares);
  const double ratio = sum.numerator / sum.denominator;
  return Interval{ratio - half, ratio + half};
}

std::optional<Interval> bootstrap_interval(std::span<const Ratio> parts, uint64_t seed) {
  if (parts.size() < static_cast<size_t>(kMinBootstrapParts)) return std::nullopt;
  if (sum_of(parts).denominator <= 0) return std::nullopt;
  const auto n = static_cast<double>(parts.size());
  // Sums of squares about the whole ratio do not cancel: numerators are taken less ratio times
  // denominator, which moves every ratio by the same amount.
  const double whole = *ratio_of_sums(parts);
  std::vector<Ratio> centred(parts.begin(), parts.end());
  Moments all;
  for (Ratio& part : centred) {
    part.numerator -= whole * part.denominator;
    all.add(part);
  }
  const double error = all.studentised(n).error;
  // Rounding alone is no spread.
  if (error <= 1e-12 * std::fabs(whole)) return Interval{whole, whole};
  SplitMix64 random(seed);
  std::array<double, kBootstraps> pivots{};
  for (double& pivot : pivots) {
    Moments sample;
    for (size_t i = 0; i < parts.size(); ++i) sample.add(centred[random.below(parts.size())]);
    const Studentised s = sample.studentised(n);
    pivot = s.error > 0 ? s.ratio / s.error : 0;
  }
  std::sort(pivots.begin(), pivots.end());
  constexpr size_t kLow = (kBootstraps + 1) / 40 - 1;
  return Interval{whole - pivots[kBootstraps - 1 - kLow] * error, whole - pivots[kLow] * error};
}

std::optional<Interval> restart_interval(std::span<const std::vector<Ratio>> restarts,
                                         uint64_t seed) {
  std::vector<Ratio> sums;
  for (const auto& calls : restarts) {
    const Ratio sum = sum_of(calls);
    if (sum.denominator > 0) sums.push_back(sum);
  }
  if (sums.size() < static_cast<size_t>(kMinRestarts)) return std::nullopt;
  const auto bootstrapped = bootstrap_interval(sums, seed);
  return bootstrapped ? bootstrapped : jackknife_interval(sums);
}

}  // namespace assay
