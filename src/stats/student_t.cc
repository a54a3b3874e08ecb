#include "stats/student_t.h"

#include <cmath>

namespace assay {
namespace {

constexpr int kMaxTerms = 500;
constexpr double kTiny = 1e-300;
constexpr double kEnough = 1e-15;

double away_from_zero(double x) { return std::fabs(x) < kTiny ? kTiny : x; }

/// The continued fraction of the incomplete beta function.
double beta_fraction(double x, double a, double b) {
  double c = 1;
  double d = 1 / away_from_zero(1 - (a + b) * x / (a + 1));
  double result = d;
  for (int m = 1; m <= kMaxTerms; ++m) {
    const double even = m * (b - m) * x / ((a + 2 * m - 1) * (a + 2 * m));
    d = 1 / away_from_zero(1 + even * d);
    c = away_from_zero(1 + even / c);
    result *= c * d;
    const double odd = -(a + m) * (a + b + m) * x / ((a + 2 * m) * (a + 2 * m + 1));
    d = 1 / away_from_zero(1 + odd * d);
    c = away_from_zero(1 + odd / c);
    result *= c * d;
    if (std::fabs(c * d - 1) < kEnough) break;
  }
  return result;
}

/// log of the gamma function; std::lgamma writes to a global.
double log_gamma(double x) {
  int sign = 0;
  return ::lgamma_r(x, &sign);
}

/// I_x(a, b), the regularised incomplete beta function.
double incomplete_beta(double x, double a, double b) {
  if (x <= 0) return 0;
  if (x >= 1) return 1;
  const double front = std::exp(log_gamma(a + b) - log_gamma(a) - log_gamma(b) + a * std::log(x) +
                                b * std::log1p(-x));
  if (x < (a + 1) / (a + b + 2)) return front * beta_fraction(x, a, b) / a;
  return 1 - front * beta_fraction(1 - x, b, a) / b;
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
  double low = -1e6;
  double high = 1e6;
  for (int i = 0; i < 100 && high - low > 1e-12 * (1 + std::fabs(low)); ++i) {
    const double middle = (low + high) / 2;
    (t_probability(middle, df) < p ? low : high) = middle;
  }
  return (low + high) / 2;
}

}  // namespace assay
