#include <algorithm>
#include <array>

#include "base/text.h"
#include "telemetry/hwmon.h"
#include "telemetry/sensor_file.h"
#include "telemetry/source.h"

namespace assay {
namespace {

constexpr double kMilli = 1e-3;
/// What is outside is a sensor that tells nonsense.
constexpr double kLeastC = 1;
constexpr double kMostC = 150;

/// The hottest of the processor's packages.
class CpuTemperature : public TelemetrySource {
 public:
  explicit CpuTemperature(std::vector<std::filesystem::path> files) : files_(std::move(files)) {}

  void read(const ReadingContext&, TelemetrySample& out) override {
    for (const auto& file : files_) {
      const auto celsius = scaled(sensor_number(file), kMilli);
      if (!celsius || *celsius < kLeastC || *celsius > kMostC) continue;
      out.cpu_temperature_c = std::max(out.cpu_temperature_c.value_or(*celsius), *celsius);
    }
  }

 private:
  std::vector<std::filesystem::path> files_;  ///< Millidegrees.
};

/// The channels of a chip that are about the whole processor, best label first; else its first.
std::filesystem::path package_channel(const std::filesystem::path& chip) {
  for (const std::string_view label : {"Package id", "Tdie", "Tctl", "SoC"}) {
    auto found = channel_labelled(chip, "temp", label);
    if (!found.empty()) return found;
  }
  return chip / "temp1_input";
}

bool is_cpu_zone(std::string_view type) {
  constexpr std::array<std::string_view, 5> kPrefixes{"x86_pkg_temp", "cpu", "CPU", "soc", "SOC"};
  return std::any_of(kPrefixes.begin(), kPrefixes.end(),
                     [&](std::string_view prefix) { return type.rfind(prefix, 0) == 0; });
}

}  // namespace

std::unique_ptr<TelemetrySource> open_cpu_temperature(SourceSetup& setup) {
  std::vector<std::filesystem::path> files;
  for (const auto& chip : chips_named(setup.roots.sys / "class/hwmon",
                                      {"coretemp", "k10temp", "zenpower", "cpu_thermal"})) {
    files.push_back(package_channel(chip));
  }
  if (files.empty()) {
    for (const auto& zone : numbered(setup.roots.sys / "class/thermal", "thermal_zone")) {
      const auto type = sensor_text(zone / "type");
      if (type && is_cpu_zone(trim(*type))) files.push_back(zone / "temp");
    }
  }
  if (files.empty()) {
    setup.lacks({"cpu_temperature_c"}, "the kernel shows no sensor of the processor's temperature");
    return nullptr;
  }
  return std::make_unique<CpuTemperature>(std::move(files));
}

}  // namespace assay
