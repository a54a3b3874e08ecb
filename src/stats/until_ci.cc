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

UntilCi until_ci(const Summary& so_far, double target, int64_t planned) {
  if (so_far.n >= planned) return UntilCi::kExhausted;
  if (so_far.n < kMinUntilCi) return UntilCi::kGoOn;
  const auto width = relative_half_width(so_far);
  return width && *width <= target ? UntilCi::kReached : UntilCi::kGoOn;
}

}  // namespace assay
