#include "load/arrivals.h"

#include <cmath>

#include "base/random.h"

namespace assay {

std::vector<int64_t> arrival_times(int64_t calls, double rate, Arrivals arrivals, uint64_t seed) {
  SplitMix64 random(seed);
  const double gap_ns = 1e9 / rate;
  std::vector<int64_t> times;
  double at = 0;
  for (int64_t i = 0; i < calls; ++i) {
    times.push_back(std::llround(at));
    at += arrivals == Arrivals::kConstant ? gap_ns : -std::log1p(-random.unit()) * gap_ns;
  }
  return times;
}

}  // namespace assay
