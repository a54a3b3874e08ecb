#include "telemetry/sensor_file.h"
#include "telemetry/source.h"

namespace assay {
namespace {

constexpr std::string_view kCpuFolder = "devices/system/cpu";

/// Clocks by cpufreq; where a guest has none, what /proc/cpuinfo says of each processor.
class CpuFrequency : public TelemetrySource {
 public:
  CpuFrequency(std::vector<std::filesystem::path> files, std::filesystem::path cpuinfo)
      : files_(std::move(files)), cpuinfo_(std::move(cpuinfo)) {}

  void read(const ReadingContext&, TelemetrySample& out) override {
    std::vector<std::optional<double>> mhz;
    if (files_.empty()) {
      mhz = from_cpuinfo();
    } else {
      for (const auto& file : files_) mhz.push_back(scaled(sensor_number(file), 1e-3));
    }
    double sum = 0;
    double known = 0;
    for (size_t core = 0; core < mhz.size(); ++core) {
      if (!mhz[core]) continue;
      sum += *mhz[core];
      ++known;
      if (core < out.cores.size()) out.cores[core].mhz = mhz[core];
    }
    if (known > 0) out.cpu_mhz = sum / known;
  }

 private:
  [[nodiscard]] std::vector<std::optional<double>> from_cpuinfo() const {
    constexpr std::string_view kKey = "cpu MHz";
    std::vector<std::optional<double>> mhz;
    const auto text = sensor_text(cpuinfo_);
    if (!text) return mhz;
    for (size_t at = text->find(kKey); at != std::string::npos; at = text->find(kKey, at + 1)) {
      mhz.push_back(number_after(std::string_view(*text).substr(at), kKey));
    }
    return mhz;
  }

  std::vector<std::filesystem::path> files_;  ///< One a processor; kHz.
  std::filesystem::path cpuinfo_;
};

}  // namespace

std::unique_ptr<TelemetrySource> open_cpu_frequency(SourceSetup& setup) {
  std::vector<std::filesystem::path> files;
  for (const auto& cpu : numbered(setup.roots.sys / kCpuFolder, "cpu")) {
    const auto file = cpu / "cpufreq/scaling_cur_freq";
    if (sensor_number(file)) files.push_back(file);
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
