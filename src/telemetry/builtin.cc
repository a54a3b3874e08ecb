#include <fmt/format.h>

#include <array>
#include <cstdlib>

#include "base/text.h"
#include "telemetry/source.h"

namespace assay {
namespace {

constexpr std::array kSources{
    SourceEntry{"cpu", open_cpu},
    SourceEntry{"cpu_frequency", open_cpu_frequency},
    SourceEntry{"cpu_temperature", open_cpu_temperature},
    SourceEntry{"cpu_throttle", open_cpu_throttle},
    SourceEntry{"rapl", open_rapl},
    SourceEntry{"cgroup", open_cgroup},
    SourceEntry{"memory", open_memory},
    SourceEntry{"disks", open_disks},
    SourceEntry{"network", open_network},
    SourceEntry{"processes", open_processes},
    SourceEntry{"nvidia", open_nvidia},
    SourceEntry{"amd", open_amd_gpus},
    SourceEntry{"intel", open_intel_gpus},
};

const char* variable(const char* name) {
  const char* value = std::getenv(name);
  return value != nullptr && *value != '\0' ? value : nullptr;
}

}  // namespace

std::span<const SourceEntry> telemetry_sources() { return kSources; }

MachineRoots machine_roots() {
  MachineRoots roots;
  const char* proc = variable("ASSAY_PROC_ROOT");
  const char* sys = variable("ASSAY_SYS_ROOT");
  const char* nvml = variable("ASSAY_NVML_LIBRARY");
  if (proc != nullptr) roots.proc = proc;
  if (sys != nullptr) roots.sys = sys;
  if (proc != nullptr || sys != nullptr || nvml != nullptr) {
    roots.nvml = nvml != nullptr ? nvml : "";
    roots.nvidia_smi.clear();
  }
  return roots;
}

void SourceSetup::lacks(std::initializer_list<std::string_view> columns,
                        const std::string& reason) {
  for (const std::string_view column : columns) about.missing[std::string(column)] = reason;
}

void SourceSetup::set_gpu_limit(size_t gpu, const std::optional<double>& limit_c) {
  if (!limit_c || *limit_c <= 0) return;
  about.facts[fmt::format("gpu{}_temperature_limit_c", gpu)] = fmt::format("{:.0f}", *limit_c);
}

size_t SourceSetup::add_gpu(const std::string& name) {
  const auto index = static_cast<size_t>(about.gpus++);
  about.facts["gpu" + std::to_string(index)] = printable(name, 80);
  return index;
}

}  // namespace assay
