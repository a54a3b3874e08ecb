#include "cli/comparison.h"

#include <algorithm>
#include <tuple>

namespace assay {

ComparisonReport compare_loaded(const ReportModel& base, const std::string& base_name,
                                const ReportModel& now, const CompareRequest& request,
                                const State& state) {
  ComparisonReport report;
  report.base = base.meta;
  report.now = now.meta;
  report.base_name = base_name;
  report.tolerance = request.tolerance;
  report.by_prompt = request.by_prompt;
  CompareOptions options;
  options.tolerance = request.tolerance;
  options.floor = [&](std::string_view cell_id, std::string_view metric) -> std::optional<double> {
    const auto* floor = state.find<NoiseFloor>(
        std::tuple(now.meta.host, std::string(cell_id), std::string(metric)));
    return floor == nullptr ? std::nullopt : std::optional(floor->share);
  };
  const ComparedRun base_side{&base.meta, &base.legs};
  const ComparedRun now_side{&now.meta, &now.legs};
  report.comparison = &base == &now ? compare_variants(base_side, options)
                                    : compare_runs(base_side, now_side, options);
  if (request.rule_set == "baseline30") {
    report.rule_set = request.rule_set;
    report.findings = baseline30(base.harness, now.harness);
  }
  for (const Threshold& threshold : request.thresholds) {
    report.thresholds.push_back({threshold, check_threshold(threshold, now.legs)});
  }
  report.base_unreliable = base.unreliable;
  report.new_unreliable = now.unreliable;
  return report;
}

bool has_variants(const RunMeta& meta) {
  return std::any_of(meta.cells.begin(), meta.cells.end(),
                     [](const Cell& cell) { return !cell.variant.empty(); });
}

}  // namespace assay
