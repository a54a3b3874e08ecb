#pragma once

#include <string>

#include "reports/html/table.h"
#include "reports/report_model.h"

namespace assay {

/// Under which circumstances the run measured: engines and models, settings, host, options.
std::string circumstances_html(const ReportModel& model, Definitions& definitions);

/// Every kind of failure and skip with its reason; empty when there is none.
std::string troubles_html(const ReportModel& model, Definitions& definitions);
inline constexpr size_t kMaxTroubles = 40;

}  // namespace assay
