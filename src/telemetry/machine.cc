#include "telemetry/machine.h"

namespace assay {

Machine::Machine(MachineRoots roots, MonoNs now)
    : roots_(std::move(roots)), listeners_(roots_.proc) {
  SourceSetup setup{roots_, about_};
  for (const SourceEntry& entry : telemetry_sources()) {
    if (auto source = entry.open(setup)) sources_.push_back(std::move(source));
  }
  read({now, true, {}, {}});
}

TelemetrySample Machine::read(const ReadingContext& context) {
  TelemetrySample sample;
  sample.cores.resize(static_cast<size_t>(about_.cores));
  sample.gpus.resize(static_cast<size_t>(about_.gpus));
  for (const auto& source : sources_) source->read(context, sample);
  return sample;
}

TelemetrySample Machine::sample(MonoNs now, const WatchedEngines& engines) {
  const Listeners::Found& found = listeners_.at(engines.ports, now);
  std::vector<int> processes = engines.processes;
  processes.insert(processes.end(), found.processes.begin(), found.processes.end());
  TelemetrySample sample = read({now, false, processes, found.missing});
  settle_missing(sample, about_);
  return sample;
}

}  // namespace assay
