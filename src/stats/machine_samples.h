#pragma once

#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "model/telemetry.h"
#include "stats/energy.h"
#include "stats/leg_telemetry.h"

namespace assay {

/// What a machine's samples say of stretches of a run. A sample speaks for the time since the one
/// before.

/// The samples of the cell's own machine, or null: nobody sampled it.
const TelemetryStream* stream_of(std::span<const TelemetryStream> streams,
                                 std::string_view cell_id);

/// Fills the means, peaks and shares of `out` over spans that do not overlap.
void add_levels(const TelemetryStream& stream, std::span<const Span> spans, const HeatBands& bands,
                LegTelemetry& out);

/// What throttled at some time of the span, in the words of LegTelemetry::throttled_by.
std::vector<std::string> throttled_in(const TelemetryStream& stream, const Span& span);

/// That the clock fell while the temperature rose over the spans, as a sentence part: the mean of
/// the last third of the samples against the first's. Empty without such evidence.
std::string heat_evidence(const TelemetryStream& stream, std::span<const Span> spans);
/// How clock and temperature moved over the spans, the first that tells of the processor and the
/// cards: `meanwhile the processor's clock went from 3400 to 2900 MHz, its temperature from 60 to
/// 84 °C`. Empty where nothing tells.
std::string course_evidence(const TelemetryStream& stream, std::span<const Span> spans);
/// Mean clock and temperature over one span, of the processor, or of the first card where the
/// processor tells neither.
struct ClockAndHeat {
  std::optional<double> mhz;
  std::optional<double> temperature_c;
};
ClockAndHeat clock_and_heat(const TelemetryStream& stream, const Span& span);
inline constexpr double kClockFall = 0.03;     ///< Relative.
inline constexpr double kTemperatureRise = 3;  ///< °C.

}  // namespace assay
