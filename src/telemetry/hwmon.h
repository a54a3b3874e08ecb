#pragma once

#include <filesystem>
#include <optional>
#include <string_view>
#include <vector>

namespace assay {

/// The monitoring chips in `directory` (`/sys/class/hwmon`, or a device's own `hwmon`) whose `name`
/// is one of `names`.
std::vector<std::filesystem::path> chips_named(const std::filesystem::path& directory,
                                               const std::vector<std::string_view>& names);

/// A chip's channel, such as `temp2_input`, by its label: `kind` is `temp`, `label` what the file
/// beside it says. Empty where none is.
std::filesystem::path channel_labelled(const std::filesystem::path& chip, std::string_view kind,
                                       std::string_view label);

/// The temperature, in °C, that the chip names for the sensor `tempN_input` as critical. Absent
/// where it names none.
std::optional<double> critical_of(const std::filesystem::path& temperature);

}  // namespace assay
