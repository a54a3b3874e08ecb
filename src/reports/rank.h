#pragma once

#include <vector>

#include "reports/report_model.h"

namespace assay {

/// Cells in the order that the run's `--rank-by` asks for: `speed` (best_first(), and without one),
/// `ttft` (the least median first), `memory` (the smallest first) or `efficiency` (output tokens a
/// second and GB of memory, the most first). Cells without the figure keep the plan's order at the
/// end.
std::vector<const CellSummary*> ranked(const ReportModel& model);

}  // namespace assay
