#pragma once

#include "base/result.h"
#include "model/options.h"
#include "reports/report_model.h"

namespace assay {

/// Whether every --notify can be read; before minutes of measuring, not after them.
Result<void> check_hooks(const RunSpec& spec);

/// Tells the hooks of `spec` how a run went: `finished` always; `red_flag` when too many warm calls
/// failed; `regression` and `win` against the run that the baseline names, if there is one. A hook
/// that fails is a warning on standard error.
void notify_run(const RunSpec& spec, const ReportModel& model);

}  // namespace assay
