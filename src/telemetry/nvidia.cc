#include <fmt/format.h>

#include <algorithm>
#include <chrono>
#include <filesystem>
#include <string_view>

#include "base/text.h"
#include "process/command.h"
#include "telemetry/drm.h"
#include "telemetry/nvidia_smi.h"
#include "telemetry/nvml.h"
#include "telemetry/sensor_file.h"
#include "telemetry/source.h"

namespace assay {
namespace {

constexpr Nanos kSmiTimeout = std::chrono::seconds(2);
constexpr MonoNs kSmiEveryNs = 5'000'000'000;  ///< Each call costs a process.

class NvmlGpus : public TelemetrySource {
 public:
  NvmlGpus(std::unique_ptr<Nvml> nvml, size_t first) : nvml_(std::move(nvml)), first_(first) {}

  void read(const ReadingContext&, TelemetrySample& out) override {
    for (size_t i = 0; i < nvml_->devices().size(); ++i) nvml_->read(i, out.gpus[first_ + i]);
  }

 private:
  std::unique_ptr<Nvml> nvml_;
  size_t first_;
};

std::vector<SmiCard> ask_nvidia_smi(const std::string& program) {
  const auto done = run_command(nvidia_smi_arguments(program), "", kSmiTimeout);
  if (!done || done->exit_code != 0) return {};
  return parse_nvidia_smi(done->output);
}

/// Where the library is missing its program may still be there. Between two calls of it nothing is
/// told: an old reading is none.
class SmiGpus : public TelemetrySource {
 public:
  SmiGpus(std::string program, size_t first, size_t count)
      : program_(std::move(program)), first_(first), count_(count) {}

  void read(const ReadingContext& context, TelemetrySample& out) override {
    if (context.is_first) return;
    if (then_ != 0 && context.now - then_ < kSmiEveryNs) {
      for (size_t i = 0; i < count_; ++i) out.gpus[first_ + i].state = CardState::kNotAsked;
      return;
    }
    then_ = context.now;
    const auto cards = ask_nvidia_smi(program_);
    for (size_t i = 0; i < std::min(cards.size(), count_); ++i) {
      out.gpus[first_ + i] = cards[i].sample;
    }
  }

 private:
  std::string program_;
  size_t first_;
  size_t count_;
  MonoNs then_ = 0;
};

/// Whether the machine has an NVIDIA card, whatever its driver.
bool has_nvidia_card(const std::filesystem::path& sys) {
  constexpr std::string_view kVendor = "0x10de";
  constexpr std::string_view kDisplay = "0x03";
  if (!drm_cards(sys, kVendor).empty()) return true;
  constexpr size_t kMostDevices = 4096;
  std::error_code error;
  size_t seen = 0;
  for (std::filesystem::directory_iterator it(sys / "bus/pci/devices", error), end;
       !error && it != end && seen < kMostDevices; it.increment(error), ++seen) {
    const auto vendor = sensor_text(it->path() / "vendor");
    if (!vendor || trim(*vendor) != kVendor) continue;
    if (sensor_text(it->path() / "class").value_or("").starts_with(kDisplay)) return true;
  }
  return false;
}

void say_unseen(const std::string& why, SourceSetup& setup) {
  if (!has_nvidia_card(setup.roots.sys)) return;
  setup.about.missing["gpu"] =
      fmt::format("an NVIDIA card is there, and neither its library nor nvidia-smi tells of it{}",
                  why.empty() ? why : ": " + why);
}

std::unique_ptr<TelemetrySource> open_by_library(SourceSetup& setup, std::string& why) {
  auto nvml = Nvml::load(setup.roots.nvml, why);
  if (!nvml || nvml->devices().empty()) return nullptr;
  const auto first = static_cast<size_t>(setup.about.gpus);
  for (const Nvml::Device& device : nvml->devices()) {
    const size_t gpu = setup.add_gpu(device.name);
    setup.about.missing[fmt::format("gpu{}_gtt_used_bytes", gpu)] =
        "NVIDIA's driver does not tell it";
    setup.set_gpu_limit(gpu, device.limit_c);
    if (device.memory_bytes) {
      setup.about.facts[fmt::format("gpu{}_memory_bytes", gpu)] =
          fmt::format("{:.0f}", *device.memory_bytes);
    }
  }
  return std::make_unique<NvmlGpus>(std::move(nvml), first);
}

}  // namespace

std::unique_ptr<TelemetrySource> open_nvidia(SourceSetup& setup) {
  std::string why;
  if (!setup.roots.nvml.empty()) {
    if (auto source = open_by_library(setup, why)) return source;
  }
  std::error_code error;
  // Where no device is, the program would only take time.
  const bool device = std::filesystem::exists("/dev/nvidiactl", error) ||
                      std::filesystem::exists("/dev/dxg", error) ||
                      setup.roots.nvidia_smi.find('/') != std::string::npos;
  std::vector<SmiCard> cards;
  if (!setup.roots.nvidia_smi.empty() && device) cards = ask_nvidia_smi(setup.roots.nvidia_smi);
  if (cards.empty()) {
    say_unseen(why, setup);
    return nullptr;
  }
  const auto first = static_cast<size_t>(setup.about.gpus);
  for (const SmiCard& card : cards) {
    const size_t gpu = setup.add_gpu(card.name);
    setup.about.missing[fmt::format("gpu{}_gtt_used_bytes", gpu)] =
        "NVIDIA's driver does not tell it";
    setup.about.missing[fmt::format("gpu{}_energy_j", gpu)] = "nvidia-smi tells no energy: " + why;
  }
  return std::make_unique<SmiGpus>(setup.roots.nvidia_smi, first, cards.size());
}

}  // namespace assay
