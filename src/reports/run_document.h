#pragma once

#include <nlohmann/json_fwd.hpp>

#include "reports/report_model.h"

namespace assay {

/// The document of the JSON report, schema `assay.run/1`.
nlohmann::ordered_json run_document(const ReportModel& model);

}  // namespace assay
