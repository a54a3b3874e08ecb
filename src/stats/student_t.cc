#include "stats/student_t.h"

#include <cmath>
#include <numbers>

#include "stats/incomplete_beta.h"

namespace assay {
namespace {

constexpr double kFarthest = 1e6;
constexpr int kMaxSteps = 100;

/// log of the gamma function; std::lgamma writes to a global.
double log_gamma(double x) {
  int sign = 0;
  return ::lgamma_r(x, &sign);
}

}  // namespace

double t_probability(double t, double df) {
  const double square = t * t;
  const double side = t < 0 ? -1 : 1;
  // Each form is exact where the other one subtracts nearly equal numbers.
  if (square < df) return 0.5 + side * incomplete_beta(square / (df + square), 0.5, df / 2) / 2;
  const double tail = incomplete_beta(df / (df + square), df / 2, 0.5) / 2;
  return t < 0 ? tail : 1 - tail;
}

double t_quantile(double p, double df) {
  // A bracket that is as near as the quantile is small; most are below 4.
  double high = 4;
  while (high < kFarthest && t_probability(high, df) < p) high *= 4;
  double low = -4;
  while (low > -kFarthest && t_probability(low, df) > p) low *= 4;
  const double log_scale =
      log_gamma((df + 1) / 2) - log_gamma(df / 2) - std::log(df * std::numbers::pi) / 2;
  double t = (low + high) / 2;
  for (int i = 0; i < kMaxSteps; ++i) {
    const double off = t_probability(t, df) - p;
    (off < 0 ? low : high) = t;
    const double density = std::exp(log_scale - (df + 1) / 2 * std::log1p(t * t / df));
    double next = t - off / density;
    // Newton's step where it stays within the bracket, else half of it.
    if (!(next > low && next < high)) next = (low + high) / 2;
    const double step = std::fabs(next - t);
    t = next;
    if (step <= 1e-12 * (1 + std::fabs(t))) break;
  }
  return t;
}

}  // namespace assay
