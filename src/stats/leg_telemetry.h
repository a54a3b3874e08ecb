#pragma once

#include <array>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "model/heat.h"
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
  std::optional<double> j_per_call;       ///< Over the calls that were sent, failed ones too.
  std::optional<double> net_j_per_call;
  /// Calls of other legs were in flight meanwhile: each moment's energy was shared out evenly among
  /// the calls in flight.
  bool attributed = false;
};

/// The energy of one call in one domain.
struct CallEnergy {
  EnergyDomain domain = EnergyDomain::kCpuPackages;
  double joules = 0;                 ///< Gross; above it less the idle power.
  std::optional<double> net_joules;  ///< Less the idle power for its share of the time.
  /// Not measured of the call alone: other calls were in flight, each moment's energy was shared
  /// out evenly among them; or it took less than kLeastCallPeriods periods of the samples.
  bool attributed = false;
};
inline constexpr double kLeastCallPeriods = 5;

/// How hot a sensor was over a stretch.
struct HeatShares {
  std::array<double, kHeatBands> share{};  ///< Of the time, by heat_band_of().
  Warmth hottest = Warmth::kCool;          ///< By the highest sample.
  double hottest_share = 0;                ///< Of the time that it was as warm as that.
};

/// How clock and temperature of a processor or a card moved from one stretch to another: means.
struct DeviceCourse {
  std::string device;  ///< `CPU`, `GPU 0`
  std::optional<double> mhz_before;
  std::optional<double> mhz_after;
  std::optional<double> temperature_before_c;
  std::optional<double> temperature_after_c;
};

/// What the machine that served a leg did while its calls were in flight.
struct LegTelemetry {
  /// Why there is nothing: `remote` (the engine's machine was not sampled), `no_samples` (its calls
  /// lie between no two samples). Empty when there is something.
  std::string_view missing;
  int64_t samples = 0;
  std::optional<double> cpu_percent;  ///< Means over the samples, here and below.
  std::optional<double> cpu_mhz;
  std::optional<double> steal_percent;          ///< Of all logical processors, by other guests.
  std::optional<double> disk_read_bytes_per_s;  ///< Of all disks.
  std::optional<double> gpu_percent;            ///< Over all cards.
  std::optional<double> gpu_mhz;
  std::optional<double> peak_cpu_temperature_c;
  std::optional<double> peak_gpu_temperature_c;
  std::optional<double> peak_engine_memory_bytes;
  std::optional<double> peak_swap_used_bytes;
  std::optional<double> peak_gpu_memory_bytes;  ///< Of all cards together.
  std::vector<LegEnergy> energy;                ///< One a domain that tells.
  int64_t throttled_calls = 0;                  ///< Of its calls that were sent.
  int64_t sent_calls = 0;
  std::vector<std::string> throttled_by;  ///< `cpu: thermal`, `container: CPU limit` …
  std::optional<HeatShares> cpu_heat;
  std::optional<HeatShares> gpu_heat;  ///< Of the hottest card at each moment.
  /// Share of the cards' time together in which a card was at its power limit: told, and no mark.
  std::optional<double> power_capped_share;
};

}  // namespace assay
