#pragma once

#include <optional>
#include <string>
#include <vector>

#include "reports/document.h"

namespace assay {

/// What routers add, a row for each cell, prompt and metric; absent without routed cells.
std::optional<Table> routing_table(const ReportModel& model);

/// The checks before the run with their results; absent where the ledger has none.
std::optional<Table> preflight_table(const ReportModel& model);

/// The machine that drove the run, name and value; what is unknown with its reason.
std::vector<std::pair<std::string, std::string>> environment_facts(const Environment& environment);

/// Medians that lie off their references, a sentence each.
std::vector<std::string> off_reference_texts(const ReportModel& model);

}  // namespace assay
