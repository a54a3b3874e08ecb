#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "base/clock.h"
#include "model/telemetry.h"

namespace assay {

/// What a sensor said last.
struct SensorReading {
  std::string sensor;  ///< `CPU`, `GPU 0`
  double value = 0;
  MonoNs at = 0;           ///< When.
  int64_t silent = 0;      ///< How often it was asked since and did not tell.
  bool is_asleep = false;  ///< Its card is powered down: it needs no watching.
};

/// A card that was not asked for a newer sample keeps what it said for so long: nvidia-smi is asked
/// every five seconds and may take two.
inline constexpr MonoNs kCarriedNs = 8'000'000'000;
/// A sensor that did not tell so often in a row is gone, and one that told nothing for so long:
/// three questions to nvidia-smi.
inline constexpr int64_t kSilentSamples = 3;
inline constexpr MonoNs kGoneNs = 18'000'000'000;

/// What this machine's sensors said last, for whoever decides by it: some tell less often than
/// samples are taken, and one can go away. A plain value.
struct MachineReadings {
  /// The newest sample. A card that was not asked for it has its last reading, at most kCarriedNs
  /// old.
  TelemetrySample sample;
  MonoNs began = 0;                         ///< Of the first sample.
  MonoNs at = 0;                            ///< Of the newest.
  int64_t samples = 0;                      ///< How many there were.
  std::vector<SensorReading> temperatures;  ///< °C, of each sensor that ever told.
  std::vector<SensorReading> powers;        ///< W
  std::vector<MonoNs> cards_at;             ///< When each card was asked last.

  /// The next sample; `when` is its instant.
  void see(const TelemetrySample& next, MonoNs when);
};

/// The hottest of the readings that still hold: of no sensor that is gone, and at most kCarriedNs
/// old.
std::optional<SensorReading> hottest_of(const MachineReadings& readings, MonoNs now);
/// Whether each temperature sensor told later than `instant`; of sleeping cards none is asked for.
bool all_told_since(const MachineReadings& readings, MonoNs instant);
/// Why `sensors` (of `readings`) cannot be gone by any more, as a sentence part; empty while they
/// can.
std::string blindness(const MachineReadings& readings, const std::vector<SensorReading>& sensors,
                      MonoNs now);
/// `, 3 s ago` of a reading that is older than a second; else empty.
std::string age_text(const SensorReading& reading, MonoNs now);

}  // namespace assay
