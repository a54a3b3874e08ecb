#pragma once

#include <array>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "reports/compare_report.h"

namespace assay {

/// How a comparison is put into words, once for every renderer, so that the same figure is the same
/// string everywhere. Texts of engines are in it as they came.

/// `▲ better`, `? unclear`: a shape and a word, never colour alone.
std::string_view verdict_text(Verdict verdict);
/// The row's verdict; `? few calls` where there is no difference to judge.
std::string_view verdict_text(const ComparedMetric& row);
/// `TTFT fresh`, `Output speed c4`.
std::string row_label(const ComparedMetric& row);
/// `+18.0 … +21.0`, in percent; `-` when absent.
std::string change_interval_text(const std::optional<Difference>& difference);
std::string rate_text(const SuccessRate& rate);
/// `1 better, 0 worse, 2 same, 1 unclear`.
std::string counts_text(const RunComparison& comparison);

/// `differs: version b6120 -> b6341, host a -> b`, not all where there are many.
std::string differs_text(const ComparisonReport& report);
/// The items, joined; of more than `most` the rest is counted.
std::string some_of(std::vector<std::string> items, size_t most);

/// What a cell is called in a comparison: its variant, else the model where that tells it apart,
/// else its id.
std::string cell_label(const ComparisonReport& report, const ComparedCell& cell);
/// `01234567`, or `01234567 (baseline)`.
std::string base_label(const ComparisonReport& report);
std::string new_label(const ComparisonReport& report);

/// What a cell's gate metrics say together: worse or better where one is and none is the other way,
/// same when all are, else unclear.
enum class CellVerdict : uint8_t {
  kBetter,
  kWorse,
  kMixed,  ///< Better in one respect, worse in another.
  kSame,
  kUnclear,
  kTooFew,
  kNotComparable
};
template <>
struct EnumText<CellVerdict> {
  static constexpr std::array kNames{
      std::pair{CellVerdict::kBetter, std::string_view("better")},
      std::pair{CellVerdict::kWorse, std::string_view("worse")},
      std::pair{CellVerdict::kMixed, std::string_view("better and worse")},
      std::pair{CellVerdict::kSame, std::string_view("same")},
      std::pair{CellVerdict::kUnclear, std::string_view("unclear")},
      std::pair{CellVerdict::kTooFew, std::string_view("with too few calls")},
      std::pair{CellVerdict::kNotComparable, std::string_view("not comparable")}};
};
CellVerdict cell_verdict(const ComparedCell& cell);
/// `m: the new run is worse.`, or why the cell cannot be compared.
std::string cell_claim(const ComparisonReport& report, const ComparedCell& cell);
/// By how much and how sure that is, of the gate metrics: `Worse: TTFT fresh +20.0 % (95 % interval
/// +18.0 … +21.0 %).` Empty without any.
std::string cell_reasons(const ComparedCell& cell);

/// Which change of a metric the comparison of this cell finds in nine of ten; empty without any.
std::string detectable_text(const ComparedCell& cell);
/// Why the intervals may be too narrow; empty when restarts or a noise floor tell.
std::string scope_text(const ComparedCell& cell);

/// Whether both sides are variants of one run.
bool of_one_run(const ComparisonReport& report);

}  // namespace assay
