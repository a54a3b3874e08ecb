#pragma once

#include <functional>
#include <memory>
#include <optional>
#include <vector>

#include "telemetry/machine.h"

namespace assay {

struct SamplerOptions {
  MachineRoots roots;
  double rate_hz = 1;           ///< 0.1 to 10.
  MonoNs epoch = 0;             ///< What samples' instants count from.
  WatchedEngines engines = {};  ///< From the first sample on.
};

/// Samples the machine on a thread of its own, so that reading delays no stamp.
class Sampler {
 public:
  /// `on_sample` runs on the sampling thread and must not block; the stream is what the machine
  /// said of itself so far. The first sample comes one period after the start.
  using OnSample = std::function<void(const TelemetryStream& about, const TelemetrySample&)>;
  Sampler(SamplerOptions options, OnSample on_sample);
  /// Takes a last sample, unless one was just taken, and ends the thread.
  ~Sampler();
  Sampler(const Sampler&) = delete;
  Sampler& operator=(const Sampler&) = delete;

  /// The engines to look at, from the next sample on. Any thread.
  void watch(WatchedEngines engines);

 private:
  struct State;
  std::unique_ptr<State> state_;
};

}  // namespace assay
