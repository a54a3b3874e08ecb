#include <fmt/format.h>

#include "telemetry/drm.h"
#include "telemetry/hwmon.h"
#include "telemetry/sensor_file.h"
#include "telemetry/source.h"

namespace assay {
namespace {

namespace fs = std::filesystem;

constexpr double kMilli = 1e-3;
constexpr double kMicro = 1e-6;

struct AmdCard {
  DrmCard drm;
  size_t gpu = 0;
  fs::path chip;
  fs::path temperature;
  fs::path clock;
  fs::path memory_clock;
};

/// By the files of the amdgpu driver. A sleeping card is left asleep.
class AmdGpus : public TelemetrySource {
 public:
  explicit AmdGpus(std::vector<AmdCard> cards) : cards_(std::move(cards)) {}

  void read(const ReadingContext&, TelemetrySample& out) override {
    for (const AmdCard& card : cards_) {
      GpuSample& gpu = out.gpus[card.gpu];
      if (is_asleep(card.drm)) {
        gpu.state = CardState::kAsleep;
        continue;
      }
      gpu.percent = sensor_number(card.drm.device / "gpu_busy_percent");
      gpu.memory_used_bytes = sensor_number(card.drm.device / "mem_info_vram_used");
      gpu.gtt_used_bytes = sensor_number(card.drm.device / "mem_info_gtt_used");
      gpu.temperature_c = scaled(sensor_number(card.temperature), kMilli);
      gpu.mhz = scaled(sensor_number(card.clock), kMicro);
      gpu.memory_mhz = scaled(sensor_number(card.memory_clock), kMicro);
      // Newer parts tell the moment's power only.
      auto power = sensor_number(card.chip / "power1_average");
      if (!power) power = sensor_number(card.chip / "power1_input");
      gpu.power_w = scaled(power, kMicro);
    }
  }

 private:
  std::vector<AmdCard> cards_;
};

fs::path labelled_or(const fs::path& chip, std::string_view kind, std::string_view label,
                     const char* otherwise) {
  auto found = channel_labelled(chip, kind, label);
  return found.empty() ? chip / otherwise : found;
}

AmdCard card_of(DrmCard drm, SourceSetup& setup) {
  AmdCard card;
  card.gpu = setup.add_gpu("AMD " + drm.id);
  for (const fs::path& chip : chips_named(drm.device / "hwmon", {"amdgpu"})) {
    card.temperature = labelled_or(chip, "temp", "edge", "temp1_input");
    card.clock = labelled_or(chip, "freq", "sclk", "freq1_input");
    card.memory_clock = channel_labelled(chip, "freq", "mclk");
    card.chip = chip;
    setup.set_gpu_limit(card.gpu, critical_of(card.temperature));
  }
  if (const auto total = sensor_number(drm.device / "mem_info_vram_total")) {
    setup.about.facts[fmt::format("gpu{}_memory_bytes", card.gpu)] = fmt::format("{:.0f}", *total);
  }
  const std::string name = fmt::format("gpu{}_", card.gpu);
  setup.about.missing[name + "energy_j"] = "amdgpu has no energy counter";
  setup.about.missing[name + "throttle"] = "amdgpu tells it in no file of text";
  if (is_asleep(drm)) {
    for (const auto& field : gpu_fields()) {
      setup.about.missing.try_emplace(name + std::string(field.name), "the card sleeps");
    }
  }
  card.drm = std::move(drm);
  return card;
}

}  // namespace

std::unique_ptr<TelemetrySource> open_amd_gpus(SourceSetup& setup) {
  std::vector<AmdCard> cards;
  for (DrmCard& drm : drm_cards(setup.roots.sys, "0x1002")) {
    std::error_code error;
    // Cards of the older driver, radeon, show none of this.
    if (!fs::exists(drm.device / "mem_info_vram_total", error)) continue;
    cards.push_back(card_of(std::move(drm), setup));
  }
  if (cards.empty()) return nullptr;
  return std::make_unique<AmdGpus>(std::move(cards));
}

}  // namespace assay
