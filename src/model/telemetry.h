#pragma once

#include <cstdint>
#include <map>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

namespace assay {

/// Why a processor runs slower than it could, as bits of GpuSample::throttle.
namespace throttle {
inline constexpr unsigned kPowerCap = 1;  ///< At its power limit: the steady state of many cards.
inline constexpr unsigned kThermal = 2;   ///< Too hot.
inline constexpr unsigned kHardware = 4;  ///< Its own protection: power brake, supply, slowdown.
}  // namespace throttle

/// One logical processor over the time since the sample before.
struct CoreSample {
  std::optional<double> percent;
  std::optional<double> mhz;
};

/// What an absent reading of a card means.
enum class CardState : uint8_t {
  kAsked,     ///< Its sensors were asked: what is absent they did not tell.
  kNotAsked,  ///< It was not its turn: asking costs a process.
  kAsleep     ///< It is powered down, and was left so.
};

/// One graphics processor at a moment.
struct GpuSample {
  CardState state = CardState::kAsked;  ///< In no file.
  std::optional<double> percent;
  std::optional<double> memory_used_bytes;  ///< Of its own memory.
  std::optional<double> gtt_used_bytes;     ///< System memory that it has mapped.
  std::optional<double> temperature_c;
  std::optional<double> mhz;
  std::optional<double> memory_mhz;
  std::optional<double> power_w;
  std::optional<double> energy_j;  ///< Since its counter's start.
  std::optional<double> throttle;  ///< Bits, see namespace throttle; 0: runs as fast as it can.
};

/// A machine at one moment: a plain snapshot, so that whoever decides by it (a gate, a plot, a
/// mark) needs nothing else. Absent where there is no sensor: TelemetryStream::missing says why.
/// Rates and shares are over the time since the sample before; counters only ever grow.
struct TelemetrySample {
  int64_t at_ns = 0;                          ///< Since the run's start; negative before it.
  bool begins = false;                        ///< The first of a session: counters began anew.
  std::optional<double> cpu_percent;          ///< All logical processors together, 0 to 100.
  std::optional<double> steal_percent;        ///< Taken by other guests of the same host.
  std::optional<double> cpu_mhz;              ///< Mean over the logical processors.
  std::optional<double> cpu_temperature_c;    ///< The hottest package.
  std::optional<double> cpu_power_w;          ///< All packages.
  std::optional<double> cpu_energy_j;         ///< All packages, counted since sampling began.
  std::optional<double> cpu_throttle_events;  ///< Thermal ones, counted by the processor.
  std::optional<double> cgroup_throttled_s;   ///< Held back by the container's limit, all threads.
  std::optional<double> ram_used_bytes;
  std::optional<double> swap_used_bytes;
  std::optional<double> disk_read_bytes_per_s;
  std::optional<double> disk_write_bytes_per_s;
  std::optional<double> net_in_bytes_per_s;
  std::optional<double> net_out_bytes_per_s;
  std::optional<double> open_files;           ///< Of this process.
  std::optional<double> engine_open_files;    ///< Of the engines that it started.
  std::optional<double> engine_memory_bytes;  ///< Resident, theirs and their children's.
  std::vector<CoreSample> cores;
  std::vector<GpuSample> gpus;
};

/// One machine's samples over a run, and what they are about.
struct TelemetryStream {
  std::string node;                ///< `local`, or the node's name in the ids of its cells.
  std::vector<std::string> cells;  ///< Ids of the cells whose engine runs on this machine.
  double rate_hz = 1;
  /// How far the samples' instants may be off, where they are another machine's.
  std::optional<double> clock_bound_ms;
  std::map<std::string, std::string> missing;  ///< By column, or `gpu`: why there is nothing.
  std::map<std::string, std::string> facts;    ///< What does not change: `governor`, `gpu0` …
  int64_t cores = 0;                           ///< Core columns of a row.
  int64_t gpus = 0;
  std::vector<TelemetrySample> samples;  ///< In order of time.
};

/// A column of a sample: its name in files and reports.
template <class Part>
struct TelemetryField {
  std::string_view name;
  std::string_view unit;
  int decimals = 0;  ///< Kept in files.
  std::optional<double> Part::*member = nullptr;
};

/// The one list of what a sample is made of. In files a core's columns are `core0_percent`, a GPU's
/// `gpu0_power_w`, and so on.
std::span<const TelemetryField<TelemetrySample>> host_fields();
std::span<const TelemetryField<CoreSample>> core_fields();
std::span<const TelemetryField<GpuSample>> gpu_fields();

/// The names of all columns of a stream, in the order of its rows.
std::vector<std::string> telemetry_columns(const TelemetryStream& about);

/// Each column without a value gets exactly one reason and each with a value none: what sources
/// said stands, the rest is "the sensor does not tell". A core's columns share `core_percent`,
/// `core_mhz`.
void settle_missing(const TelemetrySample& sample, TelemetryStream& about);

}  // namespace assay
