#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <utility>

#include "base/result.h"
#include "model/enum_text.h"
#include "model/run.h"
#include "model/telemetry.h"

namespace assay {

/// The temperatures that part the bands of heat, in °C, ascending. Source 001's.
struct HeatBands {
  std::array<double, 4> limits_c{50, 70, 85, 95};
};
inline constexpr size_t kHeatBands = 5;

/// A temperature in one word: cool below the first limit, warm below the third, hot from there on.
enum class Warmth : uint8_t { kCool, kWarm, kHot };
template <>
struct EnumText<Warmth> {
  static constexpr std::array kNames{std::pair{Warmth::kCool, std::string_view("cool")},
                                     std::pair{Warmth::kWarm, std::string_view("warm")},
                                     std::pair{Warmth::kHot, std::string_view("hot")}};
};

Warmth warmth_of(double celsius, const HeatBands& bands);
/// 0 to kHeatBands - 1: how many limits the temperature has reached.
size_t heat_band_of(double celsius, const HeatBands& bands);
/// `50-70` of band 1; `<50` and `>=95` at the ends.
std::string heat_band_text(size_t band, const HeatBands& bands);

/// `50,70,85,95`: four ascending temperatures above 0 and at most 150 °C. kInvalidArgument.
Result<HeatBands> parse_heat_bands(std::string_view text);
/// Those that a run was started with.
HeatBands heat_bands_of(const RunMeta& meta);

/// `60C`, `60 °C`: above 0 and at most 150 °C. kInvalidArgument.
Result<double> parse_celsius(std::string_view text);
/// `300W`: above 0 and at most 1 MW. kInvalidArgument.
Result<double> parse_watts(std::string_view text);

/// A sensor and what it says.
struct Hottest {
  double celsius = 0;
  std::string sensor;  ///< `CPU`, `GPU 0`
};
/// The hottest of a sample's processor packages and cards; absent where none tells.
std::optional<Hottest> hottest_of(const TelemetrySample& sample);
/// Watts of all packages and cards that tell, together; absent where none does.
std::optional<double> power_of(const TelemetrySample& sample);

}  // namespace assay
