#pragma once

#include <cstdint>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "model/call_record.h"
#include "stats/derive.h"

namespace assay {

enum class Better : uint8_t { kNeither, kLower, kHigher };

/// One per-call metric: its name, how people see it, and how it is derived. The table is the only
/// place that lists them; help, reports and comparisons read it.
struct Metric {
  std::string_view name;   ///< As in JSON.
  std::string_view label;  ///< For people, at most 16 columns.
  std::string_view unit;
  int decimals = 1;  ///< For people.
  Better better = Better::kNeither;
  std::string_view definition;  ///< One line.
  derive::Value (*of_call)(const CallRecord&) = nullptr;
  /// For rates: the leg's mean is the sum of numerators over the sum of denominators. Null: the
  /// leg's mean is the arithmetic mean over calls.
  std::optional<derive::Ratio> (*parts_of_call)(const CallRecord&) = nullptr;
  /// For metrics of which one call has many values: a leg pools all of them. Null: one per call.
  derive::Gaps (*gaps_of_call)(const CallRecord&) = nullptr;
};

/// All metrics of one closed-loop call, in the order of reports.
std::span<const Metric> metrics();
/// Null when there is no metric of that name.
const Metric* find_metric(std::string_view name);

/// The value with the metric's decimals and grouped thousands, `-` when absent. The one way a
/// number of a metric is written for people, so that console and Markdown show the same string.
std::string metric_text(const Metric& metric, std::optional<double> value);

}  // namespace assay
