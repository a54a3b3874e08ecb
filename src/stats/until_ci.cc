#include "stats/until_ci.h"

#include <algorithm>
#include <cmath>

namespace assay {

std::optional<double> relative_half_width(const Summary& summary) {
  if (!summary.mean || !summary.ci95 || *summary.mean == 0) return std::nullopt;
  const double half =
      std::max(summary.ci95->high - *summary.mean, *summary.mean - summary.ci95->low);
  return half / std::fabs(*summary.mean);
}

UntilCi until_ci(int64_t n, FunctionRef<Summary(int64_t)> summary_of_first, double target,
                 int64_t planned) {
  if (n >= planned) return UntilCi::kExhausted;
  if (n < kMinUntilCi + kNarrowInARow - 1) return UntilCi::kGoOn;
  for (int64_t first = n; first > n - kNarrowInARow; --first) {
    const auto width = relative_half_width(summary_of_first(first));
    if (!width || *width > target) return UntilCi::kGoOn;
  }
  return UntilCi::kReached;
}

}  // namespace assay
