#include <algorithm>

#include "telemetry/sensor_file.h"
#include "telemetry/source.h"

namespace assay {
namespace {

/// How often the processor slowed itself down because of heat: its own counters, added up.
class CpuThrottle : public TelemetrySource {
 public:
  explicit CpuThrottle(std::vector<std::filesystem::path> files) : files_(std::move(files)) {}

  void read(const ReadingContext&, TelemetrySample& out) override {
    double events = 0;
    for (const auto& file : files_) events += sensor_number(file).value_or(0);
    if (!first_) first_ = events;
    out.cpu_throttle_events = std::max(0.0, events - *first_);
  }

 private:
  std::vector<std::filesystem::path> files_;
  std::optional<double> first_;
};

}  // namespace

std::unique_ptr<TelemetrySource> open_cpu_throttle(SourceSetup& setup) {
  std::vector<std::filesystem::path> files;
  for (const auto& cpu : numbered(setup.roots.sys / "devices/system/cpu", "cpu")) {
    for (const char* name : {"core_throttle_count", "package_throttle_count"}) {
      const auto file = cpu / "thermal_throttle" / name;
      if (sensor_number(file)) files.push_back(file);
    }
  }
  if (files.empty()) {
    setup.lacks({"cpu_throttle_events"}, "the kernel counts no thermal events of this processor");
    return nullptr;
  }
  return std::make_unique<CpuThrottle>(std::move(files));
}

}  // namespace assay
