#include "stats/strata.h"

#include <cmath>

#include "stats/student_t.h"

namespace assay {

StratifiedMean mean_over_strata(std::span<const Stratum> strata) {
  if (strata.empty()) return {};
  const auto k = static_cast<double>(strata.size());
  double sum = 0;
  double variance = 0;
  double over_degrees = 0;
  bool all_known = true;
  for (const Stratum& stratum : strata) {
    sum += stratum.mean;
    all_known &= stratum.standard_error.has_value() && stratum.degrees >= 1;
    if (!all_known) continue;
    const double own = *stratum.standard_error * *stratum.standard_error;
    variance += own;
    over_degrees += own * own / stratum.degrees;
  }
  StratifiedMean result;
  result.mean = sum / k;
  if (!all_known) return result;
  if (variance <= 0) {
    result.ci95 = Interval{*result.mean, *result.mean};
    return result;
  }
  result.degrees = variance * variance / over_degrees;
  const double half = t_quantile((1 + kConfidence) / 2, result.degrees) * std::sqrt(variance) / k;
  result.ci95 = Interval{*result.mean - half, *result.mean + half};
  return result;
}

}  // namespace assay
