#pragma once

#include <string>

#include "reports/html/table.h"
#include "reports/report_model.h"

namespace assay {

/// Each cell's legs, best cell first: tables, distributions and time lines, at most
/// kMaxDetailBytes and a title a leg. Tables come before pictures; what is missing is named.
std::string cell_sections(const ReportModel& model, Definitions& definitions);
inline constexpr size_t kMaxDetailBytes = 78'000;

}  // namespace assay
