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

/// That a clock fell while the temperature rose over the spans, as a sentence part: the mean of the
/// last third of the samples against the first's, of each device of which it holds, the one that
/// fell most first. Empty without such evidence.
std::string heat_evidence(const TelemetryStream& stream, std::span<const Span> spans);
/// How clock and temperature moved over the spans, the device first whose clock fell most:
/// `meanwhile GPU 0 went from 1900 to 1300 MHz and from 60 to 84 °C, CPU from 3400 to 3390 MHz`.
/// Empty where nothing tells.
std::string course_evidence(const TelemetryStream& stream, std::span<const Span> spans);
/// Mean clocks and temperatures of one span against those of another: of the processor and of each
/// card that tells any of it in both, the one whose clock fell most first.
std::vector<DeviceCourse> device_courses(const TelemetryStream& stream, const Span& before,
                                         const Span& after);
inline constexpr size_t kMostDevices = 4;      ///< That a sentence names.
inline constexpr double kClockFall = 0.03;     ///< Relative.
inline constexpr double kTemperatureRise = 3;  ///< °C.

}  // namespace assay
