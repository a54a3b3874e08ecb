#pragma once

#include <nlohmann/json_fwd.hpp>

#include "reports/report_model.h"

namespace assay {

/// The document of the JSON report, schema `assay.run/1`.
nlohmann::ordered_json run_document(const ReportModel& model);

/// How many calls of all cells were `ok`, `failed` and `skipped`.
nlohmann::ordered_json calls_document(const ReportModel& model);

}  // namespace assay
