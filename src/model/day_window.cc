#include "model/day_window.h"

#include <fmt/format.h>

#include <algorithm>
#include <optional>

#include "base/text.h"

namespace assay {
namespace {

constexpr int64_t kDayMinutes = 24 * 60;
constexpr int64_t kMinuteNs = 60'000'000'000;

/// `HH:MM`, at most 24:00.
std::optional<int64_t> parse_time(std::string_view text) {
  const auto digit = [&](size_t at) { return text[at] >= '0' && text[at] <= '9'; };
  if (text.size() != 5 || text[2] != ':') return std::nullopt;
  if (!digit(0) || !digit(1) || !digit(3) || !digit(4)) return std::nullopt;
  const int64_t hours = (text[0] - '0') * 10 + (text[1] - '0');
  const int64_t minutes = (text[3] - '0') * 10 + (text[4] - '0');
  if (minutes > 59 || hours * 60 + minutes > kDayMinutes) return std::nullopt;
  return hours * 60 + minutes;
}

}  // namespace

Result<DayWindow> parse_window(std::string_view text) {
  const auto parts = split(text, '-');
  if (parts.size() == 2) {
    const auto from = parse_time(parts[0]);
    const auto until = parse_time(parts[1]);
    if (from && until && *from != *until && *from < kDayMinutes) return DayWindow{*from, *until};
  }
  return fail(
      Errc::kInvalidArgument,
      fmt::format("'{}' is no window of UTC time such as 02:00-05:00", printable(text, 40)));
}

std::string window_text(const DayWindow& window) {
  return fmt::format("{:02}:{:02}-{:02}:{:02}", window.from / 60, window.from % 60,
                     window.until / 60, window.until % 60);
}

bool in_windows(std::span<const DayWindow> windows, int64_t wall_ns) {
  if (windows.empty()) return true;
  const int64_t now = wall_ns / kMinuteNs % kDayMinutes;
  return std::any_of(windows.begin(), windows.end(), [now](const DayWindow& w) {
    if (w.from < w.until) return now >= w.from && now < w.until;
    return now >= w.from || now < w.until;
  });
}

}  // namespace assay
