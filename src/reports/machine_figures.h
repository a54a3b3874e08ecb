#pragma once

#include <optional>
#include <string>
#include <vector>

#include "reports/document.h"
#include "reports/report_model.h"

namespace assay {

/// What the machines did while the calls were in flight, for people. All empty where no machine was
/// sampled.

/// One sentence a cell: use, clock, temperature, power, energy, memory, as far as they are known;
/// `remote, not sampled` where they cannot be. Then one a machine of what its sensors do not tell,
/// and why.
std::vector<std::string> machine_notes(const ReportModel& model);

/// A row a leg, a column for whatever any leg has. Absent without such a figure.
std::optional<Table> machine_table(const ReportModel& model);

/// For cells without figures and streams without sensors: why, one sentence each.
std::vector<std::string> machine_gaps(const ReportModel& model);

}  // namespace assay
