#include "stats/references.h"

#include <fmt/format.h>

#include <cmath>

namespace assay {

std::vector<LegMark> off_references(const Cell& cell, const LegResult& leg) {
  std::vector<LegMark> marks;
  const bool steady = leg.phase == Phase::kWarm || leg.phase == Phase::kMeasure;
  if (!steady || leg.concurrency != 1) return marks;
  for (const Reference& reference : cell.expect) {
    if (reference.prompt_id != leg.prompt_id || reference.value <= 0) continue;
    const MetricResult* result = leg.find(reference.metric);
    if (result == nullptr || !result->summary.p50) continue;
    const double median = *result->summary.p50;
    if (std::fabs(median / reference.value - 1) <= reference.tolerance) continue;
    marks.push_back(
        {"off_reference",
         fmt::format("{} is {} {}, the reference {} ± {:g} %", result->metric->name,
                     metric_text(*result->metric, median), result->metric->unit,
                     metric_text(*result->metric, reference.value), reference.tolerance * 100)});
  }
  return marks;
}

}  // namespace assay
