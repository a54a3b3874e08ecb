#pragma once

#include <nlohmann/json_fwd.hpp>
#include <optional>
#include <string>
#include <vector>

#include "reports/report_model.h"

namespace assay {

/// `sustained over 10.0 min: 41.2 tok/s in the first minute, 37.1 in the last: 0.90x [0.88 … 0.92];
/// GPU 0 61 to 84 °C, 1,900 to 1,300 MHz; CPU …`, or why there is no such figure.
std::string sustained_text(const Sustained& sustained);
/// The same of each leg that has one, with its place before it.
std::vector<std::string> sustained_notes(const ReportModel& model);
nlohmann::ordered_json sustained_json(const std::optional<Sustained>& sustained);

}  // namespace assay
