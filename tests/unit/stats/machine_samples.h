#pragma once

#include <string>
#include <utility>

#include "model/telemetry.h"

namespace assay::synthetic {

inline constexpr int64_t kSecondNs = 1'000'000'000;

/// A machine sampled once a second from 1 s on; `fill(second, sample)` says what it read.
template <class Fill>
TelemetryStream sampled(const std::string& cell_id, int64_t seconds, Fill&& fill) {
  TelemetryStream stream;
  stream.node = "local";
  stream.cells = {cell_id};
  for (int64_t second = 1; second <= seconds; ++second) {
    TelemetrySample sample;
    sample.at_ns = second * kSecondNs;
    fill(second, sample);
    stream.gpus = static_cast<int64_t>(sample.gpus.size());
    stream.samples.push_back(std::move(sample));
  }
  return stream;
}

}  // namespace assay::synthetic
