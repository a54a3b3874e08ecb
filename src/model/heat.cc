#include "model/heat.h"

#include <fmt/format.h>

#include <algorithm>
#include <charconv>
#include <nlohmann/json.hpp>
#include <vector>

#include "base/text.h"

namespace assay {
namespace {

constexpr double kMostCelsius = 150;
constexpr double kMostWatts = 1e6;

/// A number above 0 and at most `most` with one of `units` behind it.
std::optional<double> quantity(std::string_view text, std::initializer_list<std::string_view> units,
                               double most) {
  text = trim(text);
  for (const std::string_view unit : units) {
    if (!text.ends_with(unit)) continue;
    const std::string_view digits = trim(text.substr(0, text.size() - unit.size()));
    double value = 0;
    const auto [end, error] = std::from_chars(digits.data(), digits.data() + digits.size(), value);
    const bool whole = error == std::errc() && end == digits.data() + digits.size();
    if (whole && value > 0 && value <= most) return value;
  }
  return std::nullopt;
}

}  // namespace

size_t heat_band_of(double celsius, const HeatBands& bands) {
  return static_cast<size_t>(std::count_if(bands.limits_c.begin(), bands.limits_c.end(),
                                           [&](double limit) { return celsius >= limit; }));
}

Warmth warmth_of(double celsius, const HeatBands& bands) {
  if (celsius < bands.limits_c[0]) return Warmth::kCool;
  return celsius < bands.limits_c[2] ? Warmth::kWarm : Warmth::kHot;
}

std::string heat_band_text(size_t band, const HeatBands& bands) {
  const auto& limits = bands.limits_c;
  if (band == 0) return fmt::format("<{:g}", limits.front());
  if (band >= limits.size()) return fmt::format(">={:g}", limits.back());
  return fmt::format("{:g}-{:g}", limits[band - 1], limits[band]);
}

Result<HeatBands> parse_heat_bands(std::string_view text) {
  HeatBands bands;
  const std::vector<std::string> parts = split(text, ',');
  bool fine = parts.size() == bands.limits_c.size();
  for (size_t i = 0; fine && i < parts.size(); ++i) {
    const auto limit = quantity(parts[i], {"", "C", "°C"}, kMostCelsius);
    fine = limit && (i == 0 || *limit > bands.limits_c[i - 1]);
    if (limit) bands.limits_c[i] = *limit;
  }
  if (fine) return bands;
  return fail(Errc::kInvalidArgument,
              fmt::format("'{}' is not four ascending temperatures such as 50,70,85,95",
                          printable(text, 60)));
}

HeatBands heat_bands_of(const RunMeta& meta) {
  const auto json = nlohmann::json::parse(meta.options_json, nullptr, false);
  if (!json.is_object() || !json.contains("heat-bands")) return {};
  const auto& text = json["heat-bands"];
  const auto bands =
      text.is_string() ? parse_heat_bands(text.get<std::string>()) : Result<HeatBands>(HeatBands());
  return bands ? *bands : HeatBands();
}

Result<double> parse_celsius(std::string_view text) {
  const auto value = quantity(text, {"°C", "C", "c"}, kMostCelsius);
  if (value) return *value;
  return fail(Errc::kInvalidArgument,
              fmt::format("'{}' is no temperature such as 60C", printable(text, 60)));
}

Result<double> parse_watts(std::string_view text) {
  const auto value = quantity(text, {"W", "w"}, kMostWatts);
  if (value) return *value;
  return fail(Errc::kInvalidArgument,
              fmt::format("'{}' is no power such as 300W", printable(text, 60)));
}

std::optional<Hottest> hottest_of(const TelemetrySample& sample) {
  std::optional<Hottest> hottest;
  if (sample.cpu_temperature_c) hottest = Hottest{*sample.cpu_temperature_c, "CPU"};
  for (size_t i = 0; i < sample.gpus.size(); ++i) {
    const auto& celsius = sample.gpus[i].temperature_c;
    if (!celsius || (hottest && *celsius <= hottest->celsius)) continue;
    hottest = Hottest{*celsius, fmt::format("GPU {}", i)};
  }
  return hottest;
}

std::optional<double> power_of(const TelemetrySample& sample) {
  std::optional<double> watts = sample.cpu_power_w;
  for (const GpuSample& card : sample.gpus) {
    if (card.power_w) watts = watts.value_or(0) + *card.power_w;
  }
  return watts;
}

}  // namespace assay
