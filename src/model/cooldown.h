#pragma once

#include <cstdint>
#include <optional>
#include <string_view>

#include "base/clock.h"
#include "base/result.h"
#include "model/call_record.h"

namespace assay {

/// For how long the machine is left to cool: for a time, or until it is no hotter than that.
struct CoolingGate {
  Nanos pause{0};
  std::optional<double> below_c;  ///< The hottest sensor, in place of `pause`.
  bool operator==(const CoolingGate&) const = default;
};

/// Where a run leaves the machine to cool: the parts of --cooldown.
struct Cooldown {
  std::optional<CoolingGate> call;   ///< Before each call, from the end of the one before.
  std::optional<CoolingGate> model;  ///< Before the calls of another cell.
  std::optional<CoolingGate> batch;  ///< After each `batch_calls` calls.
  int64_t batch_calls = 100;
  bool tiers = false;  ///< The pause before a call is tier_pause() of the one before.
  Nanos most = std::chrono::minutes(10);  ///< No gate holds for longer.

  [[nodiscard]] bool any() const { return call || model || batch || tiers; }
  /// Whether gates stand inside of a leg, too.
  [[nodiscard]] bool within_legs() const { return call || batch || tiers; }
  /// Whether some gate waits for a temperature.
  [[nodiscard]] bool by_temperature() const;
};

/// Parts between commas: `10s` or `60C` (before each call), `call=2s`, `model=60C`,
/// `batch=100:60s`, `max=5m`, and `tiers`, which stands for source 001's `call` by tier_pause(),
/// `model=90s` and `batch=100:60s`. Parts behind it replace those. Empty: no gate. kInvalidArgument
/// names the part.
Result<Cooldown> parse_cooldown(std::string_view text);

/// The same of a text that was checked: one that is wrong is none.
Cooldown cooldown_of(std::string_view text);

/// Source 001's pause after a call by how hard it was: extreme (above 16,000 tokens in or 1,000
/// out) 30 s, heavy (2,000 or 500) 15 s, medium (500 or 100) 5 s, light 2 s; and 1 ms for each
/// token of both, at most 5 s. Counts that are not known are taken for none.
Nanos tier_pause(const CallRecord& call);

}  // namespace assay
