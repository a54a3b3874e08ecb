#include <algorithm>

#include "telemetry/sensor_file.h"
#include "telemetry/source.h"

namespace assay {
namespace {

constexpr double kMicro = 1e-6;

/// A package's energy counter, which starts again at zero when it is full.
struct Counter {
  std::filesystem::path file;
  double range_uj = 0;
  std::optional<double> last_uj;
};

/// Energy of all processor packages, and from it their power.
class Rapl : public TelemetrySource {
 public:
  Rapl(std::vector<Counter> counters, TelemetryStream& about)
      : counters_(std::move(counters)), about_(about) {}

  void read(const ReadingContext& context, TelemetrySample& out) override {
    std::vector<double> readings;
    for (const Counter& counter : counters_) {
      const auto now = sensor_number(counter.file);
      if (!now) return;  // Part of the packages would pass for all.
      readings.push_back(*now);
    }
    double grown_uj = 0;
    bool stands = false;
    for (size_t i = 0; i < counters_.size(); ++i) {
      Counter& counter = counters_[i];
      const double now = readings[i];
      if (counter.last_uj) {
        const double range = now < *counter.last_uj ? counter.range_uj : 0;
        const double grown = std::max(0.0, now + range - *counter.last_uj);
        stands = stands || grown == 0;
        grown_uj += grown;
      }
      counter.last_uj = now;
    }
    energy_j_ += grown_uj * kMicro;
    // Some guests show counters that nobody drives; a processor takes no 0 W.
    if (stands) {
      about_.missing["cpu_power_w"] = about_.missing["cpu_energy_j"] = "the counter does not move";
      then_ = context.now;
      return;
    }
    out.cpu_energy_j = energy_j_;
    const double seconds = static_cast<double>(context.now - then_) / 1e9;
    if (then_ != 0 && seconds > 0) out.cpu_power_w = grown_uj * kMicro / seconds;
    then_ = context.now;
  }

 private:
  std::vector<Counter> counters_;
  TelemetryStream& about_;
  double energy_j_ = 0;
  MonoNs then_ = 0;
};

}  // namespace

std::unique_ptr<TelemetrySource> open_rapl(SourceSetup& setup) {
  std::vector<Counter> counters;
  bool refused = false;
  // `intel-rapl:0` is a package, also on AMD; `intel-rapl:0:0` is a part of it.
  for (const auto& zone : numbered(setup.roots.sys / "class/powercap", "intel-rapl:")) {
    const auto name = sensor_text(zone / "name");
    if (!name || name->rfind("package", 0) != 0) continue;
    Counter counter{
        zone / "energy_uj", sensor_number(zone / "max_energy_range_uj").value_or(0), {}};
    if (sensor_number(counter.file)) {
      counters.push_back(std::move(counter));
    } else {
      refused = true;
    }
  }
  if (refused || counters.empty()) {
    setup.lacks({"cpu_power_w", "cpu_energy_j"},
                refused ? "energy_uj of the powercap folder needs rights to be read"
                        : "the processor shows no energy counter (RAPL)");
    return nullptr;
  }
  return std::make_unique<Rapl>(std::move(counters), setup.about);
}

}  // namespace assay
