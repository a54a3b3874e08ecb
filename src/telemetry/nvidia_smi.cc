#include "telemetry/nvidia_smi.h"

#include <charconv>

#include "base/text.h"
#include "telemetry/nvml.h"
#include "telemetry/sensor_file.h"

namespace assay {
namespace {

constexpr size_t kMostCards = 16;
constexpr double kMib = 1 << 20;

std::optional<double> reasons_of(std::string_view text) {
  if (text.rfind("0x", 0) != 0) return std::nullopt;
  unsigned long long bits = 0;
  const auto [end, error] = std::from_chars(text.data() + 2, text.data() + text.size(), bits, 16);
  if (error != std::errc() || end != text.data() + text.size()) return std::nullopt;
  return throttle_of_nvml(bits);
}

}  // namespace

std::vector<std::string> nvidia_smi_arguments(const std::string& program) {
  return {program,
          "--query-gpu=utilization.gpu,memory.used,temperature.gpu,clocks.sm,clocks.mem,power.draw,"
          "clocks_throttle_reasons.active,name",
          "--format=csv,noheader,nounits"};
}

std::vector<SmiCard> parse_nvidia_smi(std::string_view csv) {
  std::vector<SmiCard> cards;
  for (const std::string& line : split(csv, '\n')) {
    const auto cells = split(line, ',');
    constexpr size_t kName = 7;
    if (cells.size() <= kName || cards.size() == kMostCards) continue;
    SmiCard card;
    card.name = printable(cells[kName], 80);
    GpuSample& gpu = card.sample;
    gpu.percent = number_in(cells[0]);
    gpu.memory_used_bytes = scaled(number_in(cells[1]), kMib);
    gpu.temperature_c = number_in(cells[2]);
    gpu.mhz = number_in(cells[3]);
    gpu.memory_mhz = number_in(cells[4]);
    gpu.power_w = number_in(cells[5]);
    gpu.throttle = reasons_of(cells[6]);
    cards.push_back(std::move(card));
  }
  return cards;
}

}  // namespace assay
