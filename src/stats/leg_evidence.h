#pragma once

#include <cstdint>
#include <optional>

#include "model/run.h"
#include "stats/order_effect.h"
#include "stats/scenario.h"

namespace assay {

/// Text-bearing events of calls that were sent and had text, and the time that they took.
struct EventSpan {
  std::optional<int64_t> first_sent;
  std::optional<int64_t> last_text;
  int64_t events = 0;

  void add(const CallRecord& call);
  void add(const EventSpan& other);
  /// A second; absent where no time passed.
  [[nodiscard]] std::optional<double> rate() const;
};

/// What mark_legs() judges a leg by, taken while its final records pass by: at most 40 bytes a call
/// (three counts and two instants, or three counts and a speed).
struct LegEvidence {
  Answers answers;         ///< Of the answered calls.
  PrecededCalls preceded;  ///< Of a leg of one call at a time.
  EventSpan events;

  /// `concurrency` is the leg's.
  void add(const RunMeta& meta, int64_t concurrency, const CallRecord& call);
  /// Adds what belongs to the leg besides its answers: calls that gave no figure.
  void add_unanswered(const LegEvidence& others);
};

}  // namespace assay
