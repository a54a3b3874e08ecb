#pragma once

#include <cstddef>
#include <optional>
#include <string_view>
#include <vector>

namespace assay {

/// The numbers of a row such as `[0,12.5,null]`; absent when the line is no such list of at most
/// kMaxTelemetryColumns.
std::optional<std::vector<std::optional<double>>> parse_telemetry_row(std::string_view line);
inline constexpr size_t kMaxTelemetryColumns = 2048;

}  // namespace assay
