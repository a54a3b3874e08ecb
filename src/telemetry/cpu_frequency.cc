#include <map>

#include "base/text.h"
#include "telemetry/sensor_file.h"
#include "telemetry/source.h"

namespace assay {
namespace {

constexpr std::string_view kCpuFolder = "devices/system/cpu";
constexpr std::string_view kCpuPrefix = "cpu";
constexpr double kMostProcessors = 65536;

/// Clocks by cpufreq; where a guest has none, what /proc/cpuinfo says of each processor.
class CpuFrequency : public TelemetrySource {
 public:
  CpuFrequency(std::map<size_t, std::filesystem::path> files, std::filesystem::path cpuinfo)
      : files_(std::move(files)), cpuinfo_(std::move(cpuinfo)) {}

  void read(const ReadingContext&, TelemetrySample& out) override {
    double sum = 0;
    double known = 0;
    for (const auto& [core, mhz] : files_.empty() ? from_cpuinfo() : from_cpufreq()) {
      sum += mhz;
      ++known;
      if (core < out.cores.size()) out.cores[core].mhz = mhz;
    }
    if (known > 0) out.cpu_mhz = sum / known;
  }

 private:
  /// By the processor's number: those that are offline have none.
  using Clocks = std::map<size_t, double>;

  [[nodiscard]] Clocks from_cpufreq() const {
    Clocks clocks;
    for (const auto& [core, file] : files_) {
      if (const auto mhz = scaled(sensor_number(file), 1e-3)) clocks[core] = *mhz;
    }
    return clocks;
  }

  /// `processor : 3` and, some lines below it, `cpu MHz : 2400.0`.
  [[nodiscard]] Clocks from_cpuinfo() const {
    Clocks clocks;
    const std::string text = sensor_text(cpuinfo_).value_or("");
    std::optional<double> core;
    for (const std::string& line : split(text, '\n')) {
      const size_t colon = line.find(':');
      if (colon == std::string::npos) continue;
      const std::string_view key = trim(std::string_view(line).substr(0, colon));
      const auto value = number_in(std::string_view(line).substr(colon + 1));
      if (key == "processor") core = value;
      if (key == "cpu MHz" && core && value && *core >= 0 && *core < kMostProcessors) {
        clocks[static_cast<size_t>(*core)] = *value;
      }
    }
    return clocks;
  }

  std::map<size_t, std::filesystem::path> files_;  ///< By the processor's number; kHz.
  std::filesystem::path cpuinfo_;
};

}  // namespace

std::unique_ptr<TelemetrySource> open_cpu_frequency(SourceSetup& setup) {
  std::map<size_t, std::filesystem::path> files;
  for (const auto& cpu : numbered(setup.roots.sys / kCpuFolder, kCpuPrefix)) {
    const auto file = cpu / "cpufreq/scaling_cur_freq";
    const auto number = number_in(cpu.filename().string().substr(kCpuPrefix.size()));
    if (number && sensor_number(file)) files[static_cast<size_t>(*number)] = file;
  }
  const auto governor = sensor_text(setup.roots.sys / kCpuFolder / "cpu0/cpufreq/scaling_governor");
  if (governor) {
    const auto words = words_of(*governor);
    if (!words.empty()) setup.about.facts["governor"] = words[0];
  }
  const auto cpuinfo = sensor_text(setup.roots.proc / "cpuinfo");
  if (files.empty() && (!cpuinfo || cpuinfo->find("cpu MHz") == std::string::npos)) {
    setup.lacks({"cpu_mhz", "core_mhz"}, "neither cpufreq nor /proc/cpuinfo tells a clock");
    return nullptr;
  }
  return std::make_unique<CpuFrequency>(std::move(files), setup.roots.proc / "cpuinfo");
}

}  // namespace assay
