#pragma once

#include <array>
#include <cstdint>
#include <optional>
#include <span>
#include <string_view>
#include <utility>

#include "model/enum_text.h"

namespace assay {

/// How many leading values belong to the warm-up: MSER-5 (White, Cobb and Spratt, Winter Simulation
/// Conference 2000). Over m means of 5 values, the cut d of the first third that minimises
/// sum_(i > d) (mean_i - mean)^2 / (m - d)^2; further on it says more of chance than of warm-up. A
/// multiple of 5; 0 below kMinCrop values.
int64_t mser5(std::span<const double> values);
inline constexpr int64_t kMinCrop = 30;

/// Whether values rise or fall in time.
struct Trend {
  double p_value = 1;  ///< Two-sided, of no trend.
  /// What the line of the median slope between all pairs (Theil and Sen) rises over the whole
  /// series, as a share of the median; negative when it falls.
  double change = 0;
};
/// Mann and Kendall's test with its variance enlarged for serial correlation as in Hamed and Rao
/// (J. Hydrol. 204, 1998), by the squared widening() of the detrended series. Above kMaxTrendPoints
/// values, on the means of as many blocks. Absent below kMinTrend values.
std::optional<Trend> find_trend(std::span<const double> values);
inline constexpr int64_t kMinTrend = 10;
inline constexpr int64_t kMaxTrendPoints = 300;

/// How a series of calls went.
enum class Course : uint8_t {
  kUnknown,     ///< Fewer than kMinTrend values.
  kStationary,  ///< No trend, or one too small to matter.
  kDrifting,    ///< A trend of more than kSmallChange.
  kSaturated,   ///< A latency that at least doubles: work came in faster than it was done.
};
template <>
struct EnumText<Course> {
  static constexpr std::array kNames{std::pair{Course::kUnknown, std::string_view("unknown")},
                                     std::pair{Course::kStationary, std::string_view("stationary")},
                                     std::pair{Course::kDrifting, std::string_view("drifting")},
                                     std::pair{Course::kSaturated, std::string_view("saturated")}};
};
inline constexpr double kTrendLevel = 0.01;
inline constexpr double kSmallChange = 0.05;
inline constexpr double kSaturatedChange = 2.0 / 3;  ///< Of the median: from 2/3 of it to 4/3.

struct Stationarity {
  Course course = Course::kUnknown;
  int64_t warmup = 0;          ///< Leading values left out.
  std::optional<Trend> trend;  ///< Of the rest, or of the whole where that one counts.
  /// Median of the last tenth of all values over that of the first, less one.
  std::optional<double> first_to_last;
  /// Median of the warm-up over that of the rest, less one; absent without a warm-up.
  std::optional<double> warmup_change;

  /// `warmup` where it differs from the rest by more than kSmallChange, else 0: chance alone often
  /// makes MSER-5 cut a little.
  [[nodiscard]] int64_t suggested_warmup() const;
};
/// Latencies in the order they were measured. There is a trend where find_trend() finds one at
/// kTrendLevel in what follows the warm-up; or in the whole, when what follows agrees at 5 %: a
/// slow start is no trend, and a drift looks like one to the crop.
Stationarity judge_course(std::span<const double> latencies);

}  // namespace assay
