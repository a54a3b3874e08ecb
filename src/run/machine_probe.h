#pragma once

#include <cstdint>

#include "model/instrument.h"
#include "run/session.h"

namespace assay {

/// Reads `bytes` of memory again and again, and computes, on `threads` threads, about two seconds
/// in all; the best of several windows counts, since others use the machine too. `bytes` is kept
/// between kLeastProbeBytes and kMostProbeBytes: a model that fits a cache is read from there.
MachineCeiling probe_machine(int64_t threads, int64_t bytes);
inline constexpr int64_t kLeastProbeBytes = int64_t{8} << 20;
inline constexpr int64_t kMostProbeBytes = int64_t{1} << 30;

/// The same from the cache of this machine for that many threads and, to a factor of two, bytes.
MachineCeiling cached_machine(int64_t threads, int64_t bytes, const OnNote& note);

}  // namespace assay
