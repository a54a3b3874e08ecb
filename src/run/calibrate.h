#pragma once

#include <cstdint>
#include <filesystem>

#include "model/instrument.h"
#include "run/session.h"

namespace assay {

/// Measures the simulated engine, in this process, with that many streams at once: once with a
/// steady gap, for what the stamps are off, then with none, for how many events a second this
/// client takes. At most kMaxCalibration; `session.io` runs meanwhile.
Result<Calibration> calibrate(Session& session, int64_t concurrency);
inline constexpr auto kMaxCalibration = std::chrono::seconds(3);

/// The same from the cache of this machine, program and concurrency, where it is no older than
/// kCalibrationAge.
Result<Calibration> cached_calibration(Session& session, int64_t concurrency, const OnNote& note);
inline constexpr auto kCalibrationAge = std::chrono::hours(24 * 7);

}  // namespace assay
