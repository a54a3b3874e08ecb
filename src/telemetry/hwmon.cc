#include "telemetry/hwmon.h"

#include <algorithm>
#include <string>

#include "base/text.h"
#include "telemetry/sensor_file.h"

namespace assay {

std::vector<std::filesystem::path> chips_named(const std::filesystem::path& directory,
                                               const std::vector<std::string_view>& names) {
  std::vector<std::filesystem::path> chips;
  for (auto& chip : numbered(directory, "hwmon")) {
    const auto name = sensor_text(chip / "name");
    if (name && std::find(names.begin(), names.end(), trim(*name)) != names.end()) {
      chips.push_back(std::move(chip));
    }
  }
  return chips;
}

std::filesystem::path channel_labelled(const std::filesystem::path& chip, std::string_view kind,
                                       std::string_view label) {
  constexpr int kMostChannels = 64;
  for (int i = 0; i < kMostChannels; ++i) {
    const std::string stem = std::string(kind) + std::to_string(i);
    const auto text = sensor_text(chip / (stem + "_label"));
    if (text && trim(*text).rfind(label, 0) == 0) return chip / (stem + "_input");
  }
  return {};
}

std::optional<double> critical_of(const std::filesystem::path& temperature) {
  constexpr std::string_view kInput = "_input";
  std::string name = temperature.filename().string();
  if (!name.ends_with(kInput)) return std::nullopt;
  name.replace(name.size() - kInput.size(), kInput.size(), "_crit");
  return scaled(sensor_number(temperature.parent_path() / name), 1e-3);
}

}  // namespace assay
