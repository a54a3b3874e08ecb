#include "base/clock.h"

#include <fmt/format.h>

namespace assay {

std::string utc_text(int64_t wall_ns) {
  const std::time_t seconds = wall_ns / 1'000'000'000;
  const int64_t millis = (wall_ns % 1'000'000'000) / 1'000'000;
  std::tm parts{};
  ::gmtime_r(&seconds, &parts);
  return fmt::format("{:04}-{:02}-{:02}T{:02}:{:02}:{:02}.{:03}Z", parts.tm_year + 1900,
                     parts.tm_mon + 1, parts.tm_mday, parts.tm_hour, parts.tm_min, parts.tm_sec,
                     millis);
}

}  // namespace assay
