#include "telemetry/machine.h"

namespace assay {

Machine::Machine(MachineRoots roots, MonoNs now) : roots_(std::move(roots)) {
  SourceSetup setup{roots_, about_};
  for (const SourceEntry& entry : telemetry_sources()) {
    if (auto source = entry.open(setup)) sources_.push_back(std::move(source));
  }
  read(now, {});
}

TelemetrySample Machine::read(MonoNs now, std::span<const int> engines) {
  TelemetrySample sample;
  sample.cores.resize(static_cast<size_t>(about_.cores));
  sample.gpus.resize(static_cast<size_t>(about_.gpus));
  const ReadingContext context{now, engines};
  for (const auto& source : sources_) source->read(context, sample);
  return sample;
}

TelemetrySample Machine::sample(MonoNs now, std::span<const int> engines) {
  TelemetrySample sample = read(now, engines);
  settle_missing(sample, about_);
  return sample;
}

}  // namespace assay
