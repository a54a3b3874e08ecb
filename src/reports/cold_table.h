#pragma once

#include <optional>
#include <string>
#include <vector>

#include "reports/document.h"

namespace assay {

/// Where the time of cold calls went: a row for each leg of them, means over its calls, so that the
/// parts sum to the wall. Absent where no call has all parts.
std::optional<Table> cold_table(const ReportModel& model);

/// Why page cache or read bytes of cold calls are not known, a sentence each.
std::vector<std::string> cold_notes(const ReportModel& model);

}  // namespace assay
