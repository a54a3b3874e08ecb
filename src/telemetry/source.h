#pragma once

#include <cstdint>
#include <filesystem>
#include <initializer_list>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "base/clock.h"
#include "model/telemetry.h"

namespace assay {

/// Where a machine's sensors are read, so that tests can have another one.
struct MachineRoots {
  std::filesystem::path proc = "/proc";
  std::filesystem::path sys = "/sys";
  std::string nvml = "libnvidia-ml.so.1";  ///< Empty: no NVML.
  std::string nvidia_smi = "nvidia-smi";   ///< Empty: do not ask it.
};

/// ASSAY_PROC_ROOT, ASSAY_SYS_ROOT and ASSAY_NVML_LIBRARY in place of this machine's own. Under
/// another root this machine's NVML and nvidia-smi are left alone.
MachineRoots machine_roots();

/// What a source is opened with, and what it tells about itself.
struct SourceSetup {
  const MachineRoots& roots;
  TelemetryStream& about;  ///< Sources fill `missing` and `facts`, and add their GPUs.

  /// Why each of these columns will stay empty.
  void lacks(std::initializer_list<std::string_view> columns, const std::string& reason);
  /// The fact `gpuN_temperature_limit_c`, where it is known: from there on the card slows itself
  /// down.
  void set_gpu_limit(size_t gpu, const std::optional<double>& limit_c);
  /// The index of one more GPU.
  size_t add_gpu(const std::string& name);
};

/// The engines whose processes are looked at.
struct WatchedEngines {
  std::vector<int> processes;   ///< Of those that we started.
  std::vector<uint16_t> ports;  ///< Of this machine, at which the others listen.
};

/// What a reading is taken for.
struct ReadingContext {
  MonoNs now = 0;
  bool is_first = false;                  ///< Of no sample: it gives rates their beginning.
  std::span<const int> engines;           ///< Process ids of the engines.
  std::string_view engines_missing = {};  ///< Why one is not among them; empty when all are.
};

/// A place that readings come from. Lives on the sampling thread.
class TelemetrySource {
 public:
  virtual ~TelemetrySource() = default;
  /// Fills its members of `out`; what it cannot read stays absent. May block for some milliseconds.
  virtual void read(const ReadingContext& context, TelemetrySample& out) = 0;
};

/// One line of the table of sources.
struct SourceEntry {
  std::string_view name;
  /// Null when this machine has no such thing: the reason is then in `missing`.
  std::unique_ptr<TelemetrySource> (*open)(SourceSetup&) = nullptr;
};

/// Every source: a file and a line in the table of telemetry/builtin.cc.
std::span<const SourceEntry> telemetry_sources();

// The sources, one file each.
std::unique_ptr<TelemetrySource> open_cpu(SourceSetup& setup);
std::unique_ptr<TelemetrySource> open_cpu_frequency(SourceSetup& setup);
std::unique_ptr<TelemetrySource> open_cpu_temperature(SourceSetup& setup);
std::unique_ptr<TelemetrySource> open_cpu_throttle(SourceSetup& setup);
std::unique_ptr<TelemetrySource> open_rapl(SourceSetup& setup);
std::unique_ptr<TelemetrySource> open_cgroup(SourceSetup& setup);
std::unique_ptr<TelemetrySource> open_memory(SourceSetup& setup);
std::unique_ptr<TelemetrySource> open_disks(SourceSetup& setup);
std::unique_ptr<TelemetrySource> open_network(SourceSetup& setup);
std::unique_ptr<TelemetrySource> open_processes(SourceSetup& setup);
std::unique_ptr<TelemetrySource> open_nvidia(SourceSetup& setup);
std::unique_ptr<TelemetrySource> open_amd_gpus(SourceSetup& setup);
std::unique_ptr<TelemetrySource> open_intel_gpus(SourceSetup& setup);

}  // namespace assay
