#include "stats/correlation.h"

#include <algorithm>
#include <cmath>
#include <numeric>

namespace assay {
namespace {

constexpr double kExtraWidth = 8;

}  // namespace

std::optional<double> lag1_correlation(std::span<const double> values) {
  if (values.size() < 3) return std::nullopt;
  const auto n = static_cast<double>(values.size());
  const double mean = std::accumulate(values.begin(), values.end(), 0.0) / n;
  double spread = 0;
  for (const double v : values) spread += (v - mean) * (v - mean);
  // Rounding alone must not look like a trend in values that are all the same.
  if (spread <= 1e-18 * mean * mean * n) return std::nullopt;
  double together = 0;
  for (size_t i = 1; i < values.size(); ++i)
    together += (values[i - 1] - mean) * (values[i] - mean);
  return together / spread;
}

double autocorrelation(std::span<const double> values) {
  const auto plain = lag1_correlation(values);
  if (!plain || values.size() < 4) return 0;
  const auto n = static_cast<double>(values.size());
  return std::clamp((n * *plain + 1) / (n - 3), 0.0, kMaxCorrelation);
}

double known_widening(double a) { return std::sqrt((1 + a) / (1 - a)); }

double widening(double a, int64_t n) {
  const double exponent = std::min(1.0, 0.5 + kExtraWidth / static_cast<double>(n));
  return std::pow((1 + a) / (1 - a), exponent);
}

double effective_count(double a, int64_t n) {
  const double wide = widening(a, n);
  return std::max(1.0, static_cast<double>(n) / (wide * wide));
}

}  // namespace assay
