#pragma once

#include <cstdint>
#include <vector>

#include "model/run.h"

namespace assay {

/// When `calls` calls of an open loop are due, in nanoseconds from its start, ascending: evenly, or
/// as a Poisson process with exponential gaps drawn from the seed. The mean gap is 1 / rate.
std::vector<int64_t> arrival_times(int64_t calls, double rate, Arrivals arrivals, uint64_t seed);

}  // namespace assay
