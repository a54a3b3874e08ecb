#pragma once

#include <string>
#include <utility>

#include "model/run.h"
#include "model/telemetry.h"

namespace assay::synthetic {

inline constexpr int64_t kSecondNs = 1'000'000'000;

/// A ledger with one cell, one prompt and that leg, and no calls.
inline LedgerContent one_leg(const std::string& cell_id, const std::string& prompt_id, Leg leg) {
  LedgerContent ledger;
  Cell cell;
  cell.id = cell_id;
  cell.kind = "llamacpp";
  ledger.meta.cells = {cell};
  Prompt prompt;
  prompt.id = prompt_id;
  ledger.meta.prompts = {prompt};
  ledger.meta.legs = {std::move(leg)};
  return ledger;
}

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
