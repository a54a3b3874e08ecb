#pragma once

#include <string>

#include "model/options.h"
#include "reports/report_model.h"

namespace assay {

/// The tables of earlier runs that cells have results in which were therefore not measured again,
/// each with the run's id and start above it. Empty where there are none; a run that is gone is
/// left out.
std::string known_tables(const RunSpec& spec, const ReportModel& model);

}  // namespace assay
