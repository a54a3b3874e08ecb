#pragma once

#include <cstdint>
#include <string>

namespace assay {

/// `2026-01-31T12:00:00.123456Z`: 27 characters, UTC, microseconds, as Ollama dates its lines.
/// Written at `out` without a terminating zero.
void put_wall_time(char* out, int64_t wall_ns);

std::string wall_time_text(int64_t wall_ns);

/// `Sun, 06 Nov 1994 08:49:37 GMT`, for Retry-After.
std::string http_date(int64_t wall_ns);

}  // namespace assay
