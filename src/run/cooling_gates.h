#pragma once

#include <cstdint>
#include <optional>
#include <string_view>

#include "base/clock.h"
#include "model/call_record.h"
#include "model/cooldown.h"
#include "run/machine_readings.h"

namespace assay {

/// Which of --cooldown's gates stands before a call. Instants are given: CLOCK_MONOTONIC in a run.
class CoolingGates {
 public:
  explicit CoolingGates(Cooldown cooldown) : cooldown_(cooldown) {}

  /// A gate that a call has to pass. Calls that come while it stands pass it together.
  struct Standing {
    std::string_view name;  ///< `call`, `model` or `batch`
    MonoNs until = 0;       ///< Its pause is over then.
    MonoNs since = 0;       ///< The end of the last call: readings before it tell of its heat.
    std::optional<double> below_c;
    MonoNs at_most_until = 0;
  };

  /// A call that was sent is over.
  void ended(const CallRecord& call, MonoNs now);
  /// What stands before a call of `cell`: the gate between models before that after a batch before
  /// that between calls. Nothing before the first call, or where no pause is left.
  std::optional<Standing> before(int64_t cell, MonoNs now);

 private:
  [[nodiscard]] std::optional<Standing> standing(std::string_view name, const CoolingGate& gate,
                                                 MonoNs now) const;

  Cooldown cooldown_;
  std::optional<int64_t> cell_;
  std::optional<MonoNs> last_ended_;
  Nanos tier_{0};
  int64_t in_batch_ = 0;
};

/// Whether a gate can be passed.
enum class Passage : uint8_t {
  kClosed,
  kOpen,
  kHeldTooLong  ///< It can, although it is hotter than it should be.
};
/// A gate by temperature opens when each sensor told after the last call's end that it is cool
/// enough. `readings`: what the sensors said last.
Passage passage_of(const CoolingGates::Standing& gate,
                   const std::optional<MachineReadings>& readings, MonoNs now);

}  // namespace assay
