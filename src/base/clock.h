#pragma once

#include <chrono>
#include <cstdint>
#include <ctime>
#include <string>

namespace assay {

/// A duration, or an instant since a stated origin.
using Nanos = std::chrono::nanoseconds;

/// An instant on CLOCK_MONOTONIC, in nanoseconds. All measuring uses this clock.
using MonoNs = int64_t;

inline int64_t read_clock_ns(clockid_t id) {
  timespec t{};
  ::clock_gettime(id, &t);
  return int64_t{t.tv_sec} * 1'000'000'000 + t.tv_nsec;
}

inline MonoNs mono_now_ns() { return read_clock_ns(CLOCK_MONOTONIC); }

/// Wall-clock time since the Unix epoch. For display and run anchors only, never for durations.
inline int64_t wall_now_ns() { return read_clock_ns(CLOCK_REALTIME); }

/// `2026-01-31T12:00:00.123Z`, always UTC with milliseconds.
std::string utc_text(int64_t wall_ns);

}  // namespace assay
