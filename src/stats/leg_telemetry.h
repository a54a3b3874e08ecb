#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "stats/energy.h"

namespace assay {

/// The energy of a leg in one domain.
struct LegEnergy {
  EnergyDomain domain = EnergyDomain::kCpuPackages;
  double joules = 0;  ///< Gross: with what the machine takes at rest.
  std::optional<double> mean_power_w;
  std::optional<double> idle_power_w;
  std::optional<double> j_per_token;      ///< Over all output tokens of the leg.
  std::optional<double> net_j_per_token;  ///< Less the idle power.
  /// Calls of other legs were in flight meanwhile: each moment's energy was shared out evenly among
  /// the calls in flight.
  bool attributed = false;
};

/// What the machine that served a leg did while its calls were in flight.
struct LegTelemetry {
  /// Why there is nothing: `remote` (the engine's machine was not sampled), `no_samples` (its calls
  /// lie between no two samples). Empty when there is something.
  std::string_view missing;
  int64_t samples = 0;
  std::optional<double> cpu_percent;  ///< Means over the samples, here and below.
  std::optional<double> cpu_mhz;
  std::optional<double> gpu_percent;  ///< Over all cards.
  std::optional<double> gpu_mhz;
  std::optional<double> peak_cpu_temperature_c;
  std::optional<double> peak_gpu_temperature_c;
  std::optional<double> peak_engine_memory_bytes;
  std::optional<double> peak_gpu_memory_bytes;  ///< Of all cards together.
  std::vector<LegEnergy> energy;                ///< One a domain that tells.
  int64_t throttled_calls = 0;                  ///< Of its calls that were sent.
  int64_t sent_calls = 0;
  std::vector<std::string> throttled_by;  ///< `cpu: thermal`, `container: CPU limit` …
  /// Share of the samples in which a card was at its power limit: told, and no mark.
  std::optional<double> power_capped_share;
};

}  // namespace assay
