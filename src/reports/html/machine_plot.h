#pragma once

#include <string>

#include "reports/report_model.h"

namespace assay {

/// One machine over the run: its calls on top, below them a strip each for temperature, power,
/// clock and use, as far as they were read; time in which it throttled is shaded. Empty without a
/// sample. At most about 14 kB.
std::string machine_plot(const ReportModel& model, const TelemetryStream& stream);

}  // namespace assay
