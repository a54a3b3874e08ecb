#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
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
/// `240.1 … 247.3` in the metric's unit; `-` when absent.
std::string range_text(const Metric& metric, const std::optional<Interval>& interval);
std::string rate_text(const SuccessRate& rate);
/// `1 better, 0 worse, 2 same, 1 unclear`.
std::string counts_text(const RunComparison& comparison);

/// What a cell is called in a comparison: the model where that tells it apart, else its id.
std::string cell_label(const ComparisonReport& report, const ComparedCell& cell);
/// `01234567`, or `01234567 (baseline)`.
std::string base_label(const ComparisonReport& report);
std::string new_label(const ComparisonReport& report);

/// What a cell's gate metrics say together: worse or better where one is and none is the other way,
/// same when all are, else unclear. Absent when nothing could be compared, or when some became
/// better and others worse.
std::optional<Verdict> cell_verdict(const ComparedCell& cell);
/// `m: the new run is worse.`, or why the cell cannot be compared.
std::string cell_claim(const ComparisonReport& report, const ComparedCell& cell);
/// By how much and how sure that is, of the gate metrics: `Worse: TTFT fresh +20.0 % (95 % interval
/// +18.0 … +21.0 %).` Empty without any.
std::string cell_reasons(const ComparedCell& cell);

/// Which change of a metric the comparison of this cell finds in four of five; empty without any.
std::string detectable_text(const ComparedCell& cell);
/// Why the intervals may be too narrow; empty when restarts or a noise floor tell.
std::string scope_text(const ComparedCell& cell);

}  // namespace assay
