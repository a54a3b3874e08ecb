#pragma once

#include <string>
#include <vector>

#include "reports/tables.h"

namespace assay {

/// Adds the table of what engines say themselves beside what the client saw, a row for each cell
/// that was answered; what contradicts what, and what the server's counters are about, in words.
void add_engine_table(const ReportModel& model, const std::vector<std::string>& labels,
                      Section& section);

}  // namespace assay
