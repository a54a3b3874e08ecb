#include "stats/compare_marks.h"

#include <algorithm>

namespace assay {
namespace {

bool has_prompt(const ComparedMetric& row, const LegResult& leg) {
  return std::any_of(row.strata.begin(), row.strata.end(), [&](const ComparedStratum& stratum) {
    return stratum.prompt_id == leg.prompt_id;
  });
}

std::vector<std::string> marks_of(const ComparedRun& run, const std::string& cell_id,
                                  const ComparedMetric& row) {
  std::vector<std::string> codes;
  for (const LegResult& leg : *run.legs) {
    if (leg.cell_id != cell_id || leg.concurrency != row.concurrency || !has_prompt(row, leg) ||
        leg.phase == Phase::kCold || leg.phase == Phase::kWarmup ||
        (row.prefix && *row.prefix != leg.prefix)) {
      continue;
    }
    for (const LegMark& mark : leg.marks) {
      const std::string code(mark.code);
      if (std::find(codes.begin(), codes.end(), code) == codes.end()) codes.push_back(code);
    }
  }
  return codes;
}

}  // namespace

void add_compared_marks(const ComparedRun& base, const ComparedRun& now,
                        RunComparison& comparison) {
  for (ComparedCell& cell : comparison.cells) {
    for (ComparedMetric& row : cell.metrics) {
      row.base_marks = marks_of(base, cell.base_id, row);
      row.new_marks = marks_of(now, cell.new_id, row);
    }
  }
}

}  // namespace assay
