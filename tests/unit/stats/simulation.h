#pragma once

#include <cmath>
#include <numbers>
#include <string_view>
#include <vector>

#include "base/random.h"

namespace assay::simulation {

/// Standard normal, by Box and Muller.
inline double normal(SplitMix64& random) {
  const double radius = std::sqrt(-2 * std::log(1 - random.unit()));
  return radius * std::cos(2 * std::numbers::pi * random.unit());
}

/// How a server's calls take their time, about 1 each.
enum class Process { kConstant, kNormal, kLognormal, kOutliers, kMildAr, kAr };

struct Truth {
  std::string_view name;
  Process process;
  double mean;      ///< Of ordinary calls: those up to 3 times the median.
  double mid_mean;  ///< Of those that are not below a third of it either.
  double all_mean;  ///< Of all calls.
  double median;
  double p90;
};

inline constexpr double kSpread = 0.1;         ///< Standard deviation of all but the lognormal one.
inline constexpr double kSigma = 0.5;          ///< Of the lognormal one's logarithm.
inline constexpr double kOutlierShare = 0.05;  ///< These take 4 times as long.
inline constexpr double kPhi = 0.6;
inline constexpr double kMildPhi = 0.3;
inline constexpr double kZ90 = 1.2815515655446004;

/// P(a standard normal variable is below z).
inline double normal_share(double z) { return 0.5 * std::erfc(-z / std::numbers::sqrt2); }

/// The quantile of kOutliers below which `share` lies.
inline double mixture_quantile(double share) {
  double low = 0.5;
  double high = 6;
  const auto below = [](double x) {
    return (1 - kOutlierShare) * normal_share((x - 1) / kSpread) +
           kOutlierShare * normal_share((x / 4 - 1) / kSpread);
  };
  for (int i = 0; i < 60; ++i) {
    const double middle = (low + high) / 2;
    (below(middle) < share ? low : high) = middle;
  }
  return low;
}

inline std::vector<Truth> processes() {
  const double normal90 = 1 + kZ90 * kSpread;
  const double skewed = std::exp(kSigma * kSigma / 2);
  const double edge = std::log(3) / kSigma;
  const double cut = skewed * normal_share(edge - kSigma) / normal_share(edge);
  const double mid = skewed * (normal_share(edge - kSigma) - normal_share(-edge - kSigma)) /
                     (normal_share(edge) - normal_share(-edge));
  return {{"constant", Process::kConstant, 1, 1, 1, 1, 1},
          {"normal", Process::kNormal, 1, 1, 1, 1, normal90},
          {"lognormal", Process::kLognormal, cut, mid, skewed, 1, std::exp(kZ90 * kSigma)},
          {"5 % outliers x4", Process::kOutliers, 1, 1, 1 + 3 * kOutlierShare,
           mixture_quantile(0.5), mixture_quantile(0.9)},
          {"AR(1) 0.3", Process::kMildAr, 1, 1, 1, 1, normal90},
          {"AR(1) 0.6", Process::kAr, 1, 1, 1, 1, normal90}};
}

/// Calls of one run, one after another.
class Calls {
 public:
  Calls(Process process, uint64_t seed)
      : process_(process), random_(seed), state_(normal(random_)) {}

  double next() {
    switch (process_) {
      case Process::kConstant:
        return 1;
      case Process::kNormal:
        return 1 + kSpread * normal(random_);
      case Process::kLognormal:
        return std::exp(kSigma * normal(random_));
      case Process::kOutliers: {
        const double slow = random_.unit() < kOutlierShare ? 4 : 1;
        return slow * (1 + kSpread * normal(random_));
      }
      case Process::kMildAr:
        return 1 + kSpread * autoregressive(kMildPhi);
      case Process::kAr:
        return 1 + kSpread * autoregressive(kPhi);
    }
    return 1;
  }

  std::vector<double> take(int n) {
    std::vector<double> values;
    values.reserve(static_cast<size_t>(n));
    for (int i = 0; i < n; ++i) values.push_back(next());
    return values;
  }

  SplitMix64& random() { return random_; }

 private:
  double autoregressive(double phi) {
    const double value = state_;
    state_ = phi * state_ + std::sqrt(1 - phi * phi) * normal(random_);
    return value;
  }

  Process process_;
  SplitMix64 random_;
  double state_;
};

}  // namespace assay::simulation
