#pragma once

#include <cstdint>
#include <optional>
#include <string>

namespace assay {

/// How this client measured the simulated engine on this machine, whose send times are known.
struct Calibration {
  int64_t concurrency = 1;  ///< Streams at once.
  /// Stamp minus the engine's own send time, over all events.
  double bias_p50_ms = 0;
  double bias_p99_ms = 0;
  /// Text-bearing events a second with nothing held back. The simulated engine has a part in it, so
  /// the client alone takes at least this.
  double events_per_sec = 0;
  std::string measured_at_utc;
};

/// What this machine's memory and cores reach in small loops of our own: a model that runs on them
/// cannot be faster.
struct MachineCeiling {
  int64_t threads = 0;
  int64_t bytes = 0;              ///< Read again and again; caches hold it if they can.
  double bytes_per_sec = 0;       ///< Reading them.
  double operations_per_sec = 0;  ///< Multiplications and additions: the best of f32 and int8.
  std::string measured_at_utc;
};

/// What is known of the instrument before a run's first call.
struct Instrument {
  std::optional<Calibration> calibration;
  std::optional<MachineCeiling> machine;
};

/// What generating a token costs a machine, by the model file's own header. Dense models alone.
struct TokenCost {
  double weight_bytes = 0;   ///< Weights read for each token; of an embedding only one row.
  double context_bytes = 0;  ///< Further bytes for each token of context (f16 cache).
  double operations = 0;     ///< Multiplications and additions: two for each weight.
};

}  // namespace assay
