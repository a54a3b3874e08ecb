#include "cli/compare_runs.h"

#include <algorithm>

namespace assay {

ComparisonReport compare_loaded(const LoadedRun& base, const LoadedRun& now, double tolerance,
                                const State& state) {
  ComparisonReport report;
  report.base = base.model.meta;
  report.now = now.model.meta;
  report.base_name = base.named.baseline;
  report.tolerance = tolerance;
  CompareOptions options;
  options.tolerance = tolerance;
  options.floor = [&](std::string_view cell_id, std::string_view metric) -> std::optional<double> {
    const NoiseFloor* floor =
        state.floor(now.model.meta.host, std::string(cell_id), std::string(metric));
    return floor == nullptr ? std::nullopt : std::optional(floor->share);
  };
  const ComparedRun base_side{&base.model.meta, &base.model.legs};
  const ComparedRun now_side{&now.model.meta, &now.model.legs};
  report.comparison = &base == &now ? compare_variants(base_side, options)
                                    : compare_runs(base_side, now_side, options);
  report.base_unreliable = base.model.unreliable;
  report.new_unreliable = now.model.unreliable;
  return report;
}

bool has_variants(const RunMeta& meta) {
  return std::any_of(meta.cells.begin(), meta.cells.end(),
                     [](const Cell& cell) { return !cell.variant.empty(); });
}

}  // namespace assay
