#include "run/cooling_gates.h"

#include <utility>

namespace assay {

void CoolingGates::ended(const CallRecord& call, MonoNs now) {
  last_ended_ = now;
  tier_ = tier_pause(call);
  ++in_batch_;
}

std::optional<CoolingGates::Standing> CoolingGates::standing(std::string_view name,
                                                             const CoolingGate& gate,
                                                             MonoNs now) const {
  Standing standing;
  standing.name = name;
  standing.until = *last_ended_ + gate.pause.count();
  standing.since = *last_ended_;
  standing.below_c = gate.below_c;
  standing.at_most_until = now + cooldown_.most.count();
  if (!standing.below_c && standing.until <= now) return std::nullopt;
  return standing;
}

std::optional<CoolingGates::Standing> CoolingGates::before(int64_t cell, MonoNs now) {
  const bool other_model = std::exchange(cell_, cell).value_or(cell) != cell;
  if (!last_ended_) return std::nullopt;
  if (other_model && cooldown_.model) {
    in_batch_ = 0;
    return standing("model", *cooldown_.model, now);
  }
  if (cooldown_.batch && in_batch_ >= cooldown_.batch_calls) {
    in_batch_ = 0;
    return standing("batch", *cooldown_.batch, now);
  }
  if (cooldown_.call) return standing("call", *cooldown_.call, now);
  if (cooldown_.tiers) return standing("call", CoolingGate{tier_, {}}, now);
  return std::nullopt;
}

Passage passage_of(const CoolingGates::Standing& gate,
                   const std::optional<MachineReadings>& readings, MonoNs now) {
  if (!gate.below_c) return now >= gate.until ? Passage::kOpen : Passage::kClosed;
  if (readings && all_told_since(*readings, gate.since)) {
    const auto hottest = hottest_of(*readings, now);
    // All cards may sleep.
    if (!hottest || hottest->value <= *gate.below_c) return Passage::kOpen;
  }
  return now >= gate.at_most_until ? Passage::kHeldTooLong : Passage::kClosed;
}

}  // namespace assay
