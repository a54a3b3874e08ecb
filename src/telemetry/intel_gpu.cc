#include <fmt/format.h>

#include <string>

#include "telemetry/drm.h"
#include "telemetry/hwmon.h"
#include "telemetry/sensor_file.h"
#include "telemetry/source.h"

namespace assay {
namespace {

namespace fs = std::filesystem;

constexpr double kMilli = 1e-3;
constexpr double kMicro = 1e-6;

struct IntelCard {
  DrmCard drm;
  size_t gpu = 0;
  fs::path clock;     ///< MHz.
  fs::path throttle;  ///< Whether it throttles; the reasons' files begin with `reasons`.
  std::string reasons;
  fs::path energy;       ///< Microjoules.
  fs::path temperature;  ///< Millidegrees.
  std::optional<double> last_energy_j;
  MonoNs then = 0;
};

bool is_set(const IntelCard& card, std::string_view reason) {
  return sensor_number(card.reasons + std::string(reason)).value_or(0) != 0;
}

/// Bits of namespace throttle; absent where the driver does not tell.
std::optional<double> throttle_of(const IntelCard& card) {
  const auto status = sensor_number(card.throttle);
  if (!status) return std::nullopt;
  unsigned bits = 0;
  if (*status == 0) return bits;
  for (const std::string_view power : {"pl1", "pl2", "pl4"}) {
    if (is_set(card, power)) bits |= throttle::kPowerCap;
  }
  for (const std::string_view heat : {"thermal", "ratl", "vr_thermalert"}) {
    if (is_set(card, heat)) bits |= throttle::kThermal;
  }
  for (const std::string_view hardware : {"prochot", "vr_tdc"}) {
    if (is_set(card, hardware)) bits |= throttle::kHardware;
  }
  return bits;
}

/// By the files of i915 or xe. A sleeping card is left asleep.
class IntelGpus : public TelemetrySource {
 public:
  IntelGpus(std::vector<IntelCard> cards, TelemetryStream& about)
      : cards_(std::move(cards)), about_(about) {}

  void read(const ReadingContext& context, TelemetrySample& out) override {
    for (IntelCard& card : cards_) {
      GpuSample& gpu = out.gpus[card.gpu];
      if (is_asleep(card.drm)) {
        gpu.state = CardState::kAsleep;
        continue;
      }
      gpu.mhz = sensor_number(card.clock);
      gpu.temperature_c = scaled(sensor_number(card.temperature), kMilli);
      gpu.throttle = throttle_of(card);
      read_energy(context.now, card, gpu);
    }
  }

 private:
  void read_energy(MonoNs now, IntelCard& card, GpuSample& gpu) {
    const auto energy_j = scaled(sensor_number(card.energy), kMicro);
    const auto power_w =
        rate_of(card.last_energy_j, energy_j, static_cast<double>(now - card.then) / 1e9);
    const bool stands = energy_j && energy_j == card.last_energy_j;
    card.last_energy_j = energy_j;
    card.then = now;
    if (!stands) {
      gpu.energy_j = energy_j;
      gpu.power_w = power_w;
      return;
    }
    for (const char* column : {"energy_j", "power_w"}) {
      about_.missing[fmt::format("gpu{}_{}", card.gpu, column)] = "the counter does not move";
    }
  }

  std::vector<IntelCard> cards_;
  TelemetryStream& about_;
};

IntelCard card_of(DrmCard drm, SourceSetup& setup) {
  IntelCard card;
  card.gpu = setup.add_gpu("Intel " + drm.id);
  const fs::path frequency = drm.device / "tile0/gt0/freq0";
  if (sensor_number(frequency / "act_freq")) {  // xe
    card.clock = frequency / "act_freq";
    card.throttle = frequency / "throttle/status";
    card.reasons = frequency / "throttle/reason_";
  } else {
    card.clock = drm.card / "gt/gt0/rps_act_freq_mhz";
    if (!sensor_number(card.clock)) card.clock = drm.card / "gt_act_freq_mhz";
    card.throttle = drm.card / "gt/gt0/throttle_reason_status";
    card.reasons = drm.card / "gt/gt0/throttle_reason_";
  }
  const std::string name = fmt::format("gpu{}_", card.gpu);
  const auto lacks = [&](const char* column, const char* reason) {
    setup.about.missing[name + column] = reason;
  };
  lacks("percent", "the driver tells its use to counters of the kernel only");
  lacks("memory_used_bytes", "the driver tells it of single clients only");
  lacks("gtt_used_bytes", "the driver tells it of single clients only");
  lacks("memory_mhz", "the driver does not tell it");
  const auto chips = chips_named(drm.device / "hwmon", {"i915", "xe"});
  if (chips.empty()) {
    for (const char* column : {"power_w", "energy_j", "temperature_c"}) {
      lacks(column, "the driver shows no sensors: usual where the graphics are in the processor");
    }
  }
  for (const fs::path& chip : chips) {
    card.energy = channel_labelled(chip, "energy", "card");
    if (card.energy.empty()) card.energy = chip / "energy1_input";
    card.temperature = channel_labelled(chip, "temp", "pkg");
    if (card.temperature.empty()) card.temperature = chip / "temp1_input";
    setup.set_gpu_limit(card.gpu, critical_of(card.temperature));
  }
  card.drm = std::move(drm);
  return card;
}

}  // namespace

std::unique_ptr<TelemetrySource> open_intel_gpus(SourceSetup& setup) {
  std::vector<IntelCard> cards;
  for (DrmCard& drm : drm_cards(setup.roots.sys, "0x8086")) {
    cards.push_back(card_of(std::move(drm), setup));
  }
  if (cards.empty()) return nullptr;
  return std::make_unique<IntelGpus>(std::move(cards), setup.about);
}

}  // namespace assay
