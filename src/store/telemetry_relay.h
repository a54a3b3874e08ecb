#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

#include "model/telemetry.h"

namespace assay {

/// Lines of another machine's `assay sample`, made lines of a run's telemetry.jsonl.

/// Another machine's answer to a question for its clock.
struct ClockAnswer {
  int64_t id = 0;
  int64_t at_ns = 0;  ///< On its monotonic clock.
};
std::string clock_line(const ClockAnswer& answer);
std::optional<ClockAnswer> parse_clock_line(std::string_view line);

/// The header with the number, node, cells and clock bound of `as`; its columns stay. Absent when
/// the line is no header. `columns` gets how many values its rows have.
std::optional<std::string> relayed_header(std::string_view line, const TelemetryStream& as,
                                          int64_t number, size_t& columns);

/// The row with another number, its time `shift_ms` later. Absent when the line is no row of so
/// many values.
std::optional<std::string> relayed_row(std::string_view line, size_t columns, int64_t number,
                                       double shift_ms);

}  // namespace assay
