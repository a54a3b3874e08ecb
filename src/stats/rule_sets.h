#pragma once

#include <array>
#include <cstdint>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "model/enum_text.h"
#include "stats/harness_calls.h"

namespace assay {

/// Something a rule set has to say about one (cell, prompt). Rule sets only advise.
struct Finding {
  enum class Kind : uint8_t {
    kRegression,
    kWin,
    kRedFlag,
    kNotComparable,  ///< A side is missing or 0. Never the same as stable.
    kStable,
  };
  Kind kind = Kind::kStable;
  std::string cell_id;
  std::string prompt_id;
  std::string_view metric;
  std::optional<double> base;
  std::optional<double> now;
  std::optional<double> change;  ///< now / base - 1.
  int64_t n = 0;                 ///< Calls behind `now`.
  std::string detail;            ///< One sentence for people.
};

template <>
struct EnumText<Finding::Kind> {
  static constexpr std::array kNames{
      std::pair{Finding::Kind::kRegression, std::string_view("regression")},
      std::pair{Finding::Kind::kWin, std::string_view("win")},
      std::pair{Finding::Kind::kRedFlag, std::string_view("red_flag")},
      std::pair{Finding::Kind::kNotComparable, std::string_view("not_comparable")},
      std::pair{Finding::Kind::kStable, std::string_view("stable")}};
};

/// Source 004's thresholds, over warm calls (measured ones where a run has no warm ones), cell by
/// cell and prompt by prompt: `warm.first_delta_ms.p50` and `warm.total_duration_ms.p50` 30 %
/// slower, or `warm.tokens_per_sec.mean` 30 % lower, is a regression and the same the other way a
/// win; exactly 30 % counts. `warm.success_rate` below 0.95 of the new run is a red flag, with its
/// n: at n = 5 that is one error. Percentiles are type 7 over calls without an error.
std::vector<Finding> baseline30(const HarnessCalls& base, const HarnessCalls& now);

/// Source 002's trend, for one cell over runs from old to new: the mean tokens per second of the
/// last three runs against that of all; 10 % below is a regression, above a win. Values more than 2
/// standard deviations off are named in the detail. Needs at least 4 runs.
struct TrendPoint {
  std::string run_id;
  double tokens_per_sec = 0;
};
std::optional<Finding> trend10(std::string_view cell_id, std::span<const TrendPoint> points);
inline constexpr size_t kMinTrendRuns = 4;

}  // namespace assay
