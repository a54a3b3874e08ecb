#pragma once

#include <cstdint>
#include <optional>
#include <span>
#include <string_view>
#include <vector>

#include "stats/metrics.h"
#include "stats/summary.h"

namespace assay {

/// How much a positive quantity differs between two sets of measurements, on the scale of natural
/// logarithms: ratios of times and of rates are what two engines have in common across prompts of
/// unlike length, and their noise is nearer to normal there.
struct Difference {
  double log_ratio = 0;       ///< ln(new / base) of the geometric means.
  double standard_error = 0;  ///< Of log_ratio; 0 when neither side varies.
  double df = 1;              ///< Degrees of freedom, Welch–Satterthwaite.
  int64_t base_n = 0;         ///< Units behind each side, of the smallest stratum.
  int64_t new_n = 0;

  [[nodiscard]] double change() const;   ///< new / base - 1.
  [[nodiscard]] Interval ci95() const;   ///< Of change().
  [[nodiscard]] double p_value() const;  ///< Two-sided, of no difference.
};
inline constexpr int64_t kMinForDifference = 3;

/// The geometric mean of one side, on the scale of natural logarithms.
struct LogMean {
  double log_mean = 0;
  double standard_error = 0;  ///< Of log_mean; 0 when nothing varies.
  double df = 1;

  [[nodiscard]] Interval ci95() const;  ///< Of exp(log_mean), in the unit of the values.
};
/// Of values in the order they were measured; correlated ones widen it as in difference_between().
/// Absent below kMinForDifference values, or with one that is not positive.
std::optional<LogMean> log_mean_of(std::span<const double> values);
/// The equal-weight mean over strata. Absent when empty.
std::optional<LogMean> log_mean_over_strata(std::span<const LogMean> strata);

/// Welch's comparison of two independent samples in the order they were measured. Where successive
/// values are correlated (lag 1 above 0.3) the variance of that side grows by (1 + r) / (1 - r),
/// the effective sample size of an AR(1) process (Zwiers & von Storch, J. Climate 8, 1995). Absent
/// below kMinForDifference values on a side, or with a value that is not positive.
std::optional<Difference> difference_between(std::span<const double> base,
                                             std::span<const double> now);

/// Repetitions that were interleaved (ABBA): the i-th of one side belongs to the i-th of the other.
/// Absent below kMinForDifference pairs.
std::optional<Difference> paired_difference(std::span<const double> base,
                                            std::span<const double> now);

/// The equal-weight mean over strata (prompts), each compared within itself. Absent when empty.
std::optional<Difference> over_strata(std::span<const Difference> strata);

enum class Verdict : uint8_t { kBetter, kWorse, kSame, kUnclear };

template <>
struct EnumText<Verdict> {
  static constexpr std::array kNames{std::pair{Verdict::kBetter, std::string_view("better")},
                                     std::pair{Verdict::kWorse, std::string_view("worse")},
                                     std::pair{Verdict::kSame, std::string_view("same")},
                                     std::pair{Verdict::kUnclear, std::string_view("unclear")}};
};

/// What counts as a difference. All relative: 0.03 is 3 %.
struct Tolerance {
  double same = 0.03;  ///< Less than this matters to nobody.
  std::optional<double>
      noise_floor;  ///< Between identical runs on this machine, if it was measured.

  /// Beyond this an estimate is taken for more than noise: max(same, 2 * noise_floor).
  [[nodiscard]] double beyond() const;
};

/// - same: the whole interval lies within ± tolerance;
/// - better, worse: the interval excludes 0 and the estimate lies beyond Tolerance::beyond();
/// - unclear: neither.
/// `better` is the metric's direction; kNeither gives same or unclear only.
Verdict judge(const Difference& difference, Better better, const Tolerance& tolerance);

/// About how many more units each side needs before an unclear difference is settled, if the
/// estimate and the spread stay as they are. Absent when no number up to kMaxMoreRepetitions is
/// enough, as it is where the estimate lies at the edge of the tolerance or within the noise floor.
std::optional<int64_t> more_repetitions(const Difference& difference, const Tolerance& tolerance);
inline constexpr int64_t kMaxMoreRepetitions = 10'000;

/// The smallest change, as a share, that this comparison would find in nine of ten runs: the
/// interval has to leave 0 and the estimate has to lie beyond Tolerance::beyond(), both by the 90 %
/// quantile of its scatter. The standard error is taken for a little more than its estimate, which
/// from few units is too small more often than too large.
double detectable_change(const Difference& difference, const Tolerance& tolerance);

/// Holm's step-down adjustment: p-values in the given order, each made so that comparing it with
/// 0.05 keeps the chance of any false alarm in the family at 5 % (Scand. J. Stat. 6, 1979).
std::vector<double> holm(std::span<const double> p_values);

}  // namespace assay
