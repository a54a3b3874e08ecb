#pragma once

#include <memory>
#include <vector>

#include "telemetry/listeners.h"
#include "telemetry/source.h"

namespace assay {

/// The sensors of one machine, opened once and read again and again. One thread.
class Machine {
 public:
  /// Opens what is there and reads it once, so that rates have a beginning.
  Machine(MachineRoots roots, MonoNs now);
  Machine(const Machine&) = delete;
  Machine& operator=(const Machine&) = delete;

  /// The machine now, and the engines on it; `at_ns` is left 0.
  TelemetrySample sample(MonoNs now, const WatchedEngines& engines);
  /// What the samples are about. After each sample every column has a value in it or a reason in
  /// `missing`, never both.
  [[nodiscard]] const TelemetryStream& about() const { return about_; }

 private:
  TelemetrySample read(const ReadingContext& context);

  MachineRoots roots_;
  TelemetryStream about_;
  Listeners listeners_;
  std::vector<std::unique_ptr<TelemetrySource>> sources_;
};

}  // namespace assay
