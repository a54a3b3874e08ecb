#pragma once

#include <cstdint>
#include <span>
#include <string>
#include <string_view>

#include "base/result.h"

namespace assay {

/// A part of each day, UTC, in minutes since midnight: from `from` up to `until`. `until` below
/// `from` lies on the next day.
struct DayWindow {
  int64_t from = 0;
  int64_t until = 0;
};

/// `02:00-05:00`. kInvalidArgument when it is none, or empty.
Result<DayWindow> parse_window(std::string_view text);
std::string window_text(const DayWindow& window);

/// Whether an instant since the Unix epoch lies in one of them; no windows mean always.
bool in_windows(std::span<const DayWindow> windows, int64_t wall_ns);

}  // namespace assay
