#pragma once

#include <nlohmann/json_fwd.hpp>
#include <optional>
#include <string>
#include <vector>

#include "reports/document.h"

namespace assay {

/// A row for each level of concurrency of each cell, and one that says how many users at once are
/// served as --goodput asks. Absent where nothing was asked or judged.
std::optional<Table> headcount_table(const ReportModel& model);

/// The same in a sentence for each cell.
std::vector<std::string> headcount_texts(const ReportModel& model);

/// What a run at several levels could have been asked; empty where it was, or had one level.
std::string headcount_hint(const ReportModel& model);

/// Null where nothing was asked.
nlohmann::ordered_json headcount_json(const ReportModel& model);

}  // namespace assay
