#pragma once

#include <cstdint>
#include <optional>

#include "stats/summary.h"

namespace assay {

/// The wider side of the interval over the mean: 0.02 is ± 2 %. Absent without an interval or with
/// a mean of 0.
std::optional<double> relative_half_width(const Summary& summary);

/// Whether to measure on until the interval is narrow enough.
enum class UntilCi : uint8_t {
  kGoOn,
  kReached,    ///< Narrow enough before all planned calls were made: the run stopped early.
  kExhausted,  ///< All planned calls were made.
};

/// To be asked after every call. Looking often and stopping at the first narrow interval picks runs
/// that look calmer than they are: from kMinUntilCi values on that costs little coverage, below it
/// too much (docs/statistics.md). `target` is a relative half-width above 0.
UntilCi until_ci(const Summary& so_far, double target, int64_t planned);
inline constexpr int64_t kMinUntilCi = 10;

}  // namespace assay
