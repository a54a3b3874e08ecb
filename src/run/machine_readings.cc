#include "run/machine_readings.h"

#include <fmt/format.h>

#include <algorithm>
#include <cstddef>
#include <utility>

namespace assay {
namespace {

void tell(std::vector<SensorReading>& sensors, const std::string& sensor,
          const std::optional<double>& value, MonoNs at) {
  const auto known = std::find_if(sensors.begin(), sensors.end(),
                                  [&](const SensorReading& one) { return one.sensor == sensor; });
  if (!value) {
    if (known != sensors.end()) ++known->silent;
  } else if (known != sensors.end()) {
    *known = {sensor, *value, at, 0, false};
  } else {
    sensors.push_back({sensor, *value, at, 0, false});
  }
}

void sleep(std::vector<SensorReading>& sensors, const std::string& sensor) {
  for (SensorReading& one : sensors) {
    if (one.sensor == sensor) one.is_asleep = true;
  }
}

bool is_gone(const SensorReading& reading, MonoNs now) {
  if (reading.is_asleep) return false;
  return reading.silent >= kSilentSamples || now - reading.at > kGoneNs;
}

}  // namespace

void MachineReadings::see(const TelemetrySample& next, MonoNs when) {
  const std::vector<GpuSample> before = std::move(sample.gpus);
  sample = next;
  if (samples++ == 0) began = when;
  at = when;
  cards_at.resize(std::max(cards_at.size(), next.gpus.size()), when);
  tell(temperatures, "CPU", next.cpu_temperature_c, when);
  tell(powers, "CPU", next.cpu_power_w, when);
  for (size_t i = 0; i < next.gpus.size(); ++i) {
    const std::string name = fmt::format("GPU {}", i);
    const GpuSample& card = next.gpus[i];
    switch (card.state) {
      case CardState::kAsked:
        cards_at[i] = when;
        tell(temperatures, name, card.temperature_c, when);
        tell(powers, name, card.power_w, when);
        break;
      case CardState::kNotAsked:
        if (i < before.size() && when - cards_at[i] <= kCarriedNs) sample.gpus[i] = before[i];
        break;
      case CardState::kAsleep:
        sleep(temperatures, name);
        sleep(powers, name);
        break;
    }
  }
}

std::optional<SensorReading> hottest_of(const MachineReadings& readings, MonoNs now) {
  std::optional<SensorReading> hottest;
  for (const SensorReading& one : readings.temperatures) {
    if (one.is_asleep || is_gone(one, now) || now - one.at > kCarriedNs) continue;
    if (!hottest || one.value > hottest->value) hottest = one;
  }
  return hottest;
}

bool all_told_since(const MachineReadings& readings, MonoNs instant) {
  const auto& sensors = readings.temperatures;
  return !sensors.empty() &&
         std::all_of(sensors.begin(), sensors.end(), [&](const SensorReading& one) {
           return one.is_asleep || (one.silent == 0 && one.at > instant);
         });
}

std::string blindness(const MachineReadings& readings, const std::vector<SensorReading>& sensors,
                      MonoNs now) {
  if (now - readings.at > kGoneNs) {
    return fmt::format("no sample came for {:.0f} s", static_cast<double>(now - readings.at) / 1e9);
  }
  // One that is asked less often has its first turn later.
  if (sensors.empty()) {
    return now - readings.began > kGoneNs ? "no sensor tells it any more" : std::string();
  }
  for (const SensorReading& one : sensors) {
    if (!is_gone(one, now)) continue;
    return fmt::format("the sensor of the {} tells nothing any more, {:.0f} s after its last word",
                       one.sensor, static_cast<double>(now - one.at) / 1e9);
  }
  return {};
}

std::string age_text(const SensorReading& reading, MonoNs now) {
  const double seconds = static_cast<double>(now - reading.at) / 1e9;
  return seconds > 1 ? fmt::format(", {:.0f} s ago", seconds) : std::string();
}

}  // namespace assay
