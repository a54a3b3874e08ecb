#pragma once

#include <cstdint>
#include <optional>

#include "base/function_ref.h"
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
/// that look calmer than they are, most of all among correlated calls; so kNarrowInARow intervals
/// in a row have to be narrow, the first of them of kMinUntilCi values or more. Both were set by
/// simulation (docs/statistics.md). `summary_of_first(k)` is of the first k of the n values in the
/// order they were measured; `target` is a relative half-width above 0.
UntilCi until_ci(int64_t n, FunctionRef<Summary(int64_t)> summary_of_first, double target,
                 int64_t planned);
inline constexpr int64_t kMinUntilCi = 16;
inline constexpr int64_t kNarrowInARow = 5;

}  // namespace assay
