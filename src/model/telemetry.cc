#include "model/telemetry.h"

#include <fmt/format.h>

#include <algorithm>
#include <array>

namespace assay {
namespace {

using T = TelemetrySample;
using G = GpuSample;
using C = CoreSample;

constexpr std::array kHostFields{
    TelemetryField<T>{"cpu_percent", "%", 1, &T::cpu_percent},
    TelemetryField<T>{"steal_percent", "%", 1, &T::steal_percent},
    TelemetryField<T>{"cpu_mhz", "MHz", 0, &T::cpu_mhz},
    TelemetryField<T>{"cpu_temperature_c", "°C", 1, &T::cpu_temperature_c},
    TelemetryField<T>{"cpu_power_w", "W", 2, &T::cpu_power_w},
    TelemetryField<T>{"cpu_energy_j", "J", 3, &T::cpu_energy_j},
    TelemetryField<T>{"cpu_throttle_events", "1", 0, &T::cpu_throttle_events},
    TelemetryField<T>{"cgroup_throttled_s", "s", 3, &T::cgroup_throttled_s},
    TelemetryField<T>{"ram_used_bytes", "B", 0, &T::ram_used_bytes},
    TelemetryField<T>{"swap_used_bytes", "B", 0, &T::swap_used_bytes},
    TelemetryField<T>{"disk_read_bytes_per_s", "B/s", 0, &T::disk_read_bytes_per_s},
    TelemetryField<T>{"disk_write_bytes_per_s", "B/s", 0, &T::disk_write_bytes_per_s},
    TelemetryField<T>{"net_in_bytes_per_s", "B/s", 0, &T::net_in_bytes_per_s},
    TelemetryField<T>{"net_out_bytes_per_s", "B/s", 0, &T::net_out_bytes_per_s},
    TelemetryField<T>{"open_files", "1", 0, &T::open_files},
    TelemetryField<T>{"engine_open_files", "1", 0, &T::engine_open_files},
    TelemetryField<T>{"engine_memory_bytes", "B", 0, &T::engine_memory_bytes},
};
constexpr std::array kCoreFields{
    TelemetryField<C>{"percent", "%", 0, &C::percent},
    TelemetryField<C>{"mhz", "MHz", 0, &C::mhz},
};
constexpr std::array kGpuFields{
    TelemetryField<G>{"percent", "%", 0, &G::percent},
    TelemetryField<G>{"memory_used_bytes", "B", 0, &G::memory_used_bytes},
    TelemetryField<G>{"gtt_used_bytes", "B", 0, &G::gtt_used_bytes},
    TelemetryField<G>{"temperature_c", "°C", 1, &G::temperature_c},
    TelemetryField<G>{"mhz", "MHz", 0, &G::mhz},
    TelemetryField<G>{"memory_mhz", "MHz", 0, &G::memory_mhz},
    TelemetryField<G>{"power_w", "W", 2, &G::power_w},
    TelemetryField<G>{"energy_j", "J", 3, &G::energy_j},
    TelemetryField<G>{"throttle", "bits", 0, &G::throttle},
};

void settle(const std::string& name, bool is_there, TelemetryStream& about) {
  if (is_there) {
    about.missing.erase(name);
  } else {
    about.missing.try_emplace(name, "the sensor does not tell");
  }
}

}  // namespace

std::span<const TelemetryField<TelemetrySample>> host_fields() { return kHostFields; }
std::span<const TelemetryField<CoreSample>> core_fields() { return kCoreFields; }
std::span<const TelemetryField<GpuSample>> gpu_fields() { return kGpuFields; }

std::vector<std::string> telemetry_columns(const TelemetryStream& about) {
  std::vector<std::string> names;
  for (const auto& field : kHostFields) names.emplace_back(field.name);
  for (int64_t core = 0; core < about.cores; ++core) {
    for (const auto& field : kCoreFields)
      names.push_back(fmt::format("core{}_{}", core, field.name));
  }
  for (int64_t gpu = 0; gpu < about.gpus; ++gpu) {
    for (const auto& field : kGpuFields) names.push_back(fmt::format("gpu{}_{}", gpu, field.name));
  }
  return names;
}

void settle_missing(const TelemetrySample& sample, TelemetryStream& about) {
  for (const auto& field : kHostFields) {
    settle(std::string(field.name), (sample.*field.member).has_value(), about);
  }
  for (const auto& field : kCoreFields) {
    const bool any = std::any_of(sample.cores.begin(), sample.cores.end(),
                                 [&](const C& core) { return (core.*field.member).has_value(); });
    settle(fmt::format("core_{}", field.name), any, about);
  }
  for (size_t gpu = 0; gpu < sample.gpus.size(); ++gpu) {
    for (const auto& field : kGpuFields) {
      settle(fmt::format("gpu{}_{}", gpu, field.name), (sample.gpus[gpu].*field.member).has_value(),
             about);
    }
  }
  if (sample.gpus.empty()) {
    about.missing.try_emplace("gpu", "no graphics processor was found");
  } else {
    about.missing.erase("gpu");
  }
}

}  // namespace assay
