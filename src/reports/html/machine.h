#pragma once

#include <string>

#include "reports/html/table.h"
#include "reports/report_model.h"

namespace assay {

/// The machines under the calls: on one time line the calls, then temperature, power, clock and
/// use; the same in a table by leg; what could not be read and why. Empty where no machine was
/// sampled.
std::string machine_html(const ReportModel& model, Definitions& definitions);

}  // namespace assay
