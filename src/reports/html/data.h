#pragma once

#include <string>

#include "reports/report_model.h"

namespace assay {

/// The run's JSON document as a script element of data, at most kMaxDataBytes: where it is larger,
/// its `left_out` names what was taken out, most bytes first. Nothing in it can end the element.
std::string data_island(const ReportModel& model);
inline constexpr size_t kMaxDataBytes = 24'000;

}  // namespace assay
