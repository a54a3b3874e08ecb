#pragma once

#include <cstdint>
#include <optional>

#include "base/clock.h"

namespace assay {

/// How far another machine's clock is ahead of ours, by questions and answers: it read its clock at
/// some time between our question and its answer. The fastest exchange of the last kKept bounds it
/// best; older ones are forgotten, since clocks drift apart.
class ClockOffset {
 public:
  /// Asked and heard on our clock, answered on theirs. An answer before its question is dropped.
  void add(MonoNs asked, int64_t answered, MonoNs heard) {
    if (heard < asked) return;
    exchanges_[next_++ % kKept] = Exchange{asked, answered, heard};
  }

  struct Estimate {
    int64_t ahead_ns = 0;
    int64_t bound_ns = 0;  ///< The truth is within ± this.
  };
  [[nodiscard]] std::optional<Estimate> estimate() const {
    std::optional<Estimate> best;
    for (const auto& exchange : exchanges_) {
      if (!exchange) continue;
      const int64_t half = (exchange->heard - exchange->asked + 1) / 2;
      if (best && best->bound_ns <= half) continue;
      best = Estimate{exchange->answered - exchange->asked - half, half};
    }
    return best;
  }

 private:
  static constexpr uint64_t kKept = 8;
  struct Exchange {
    MonoNs asked = 0;
    int64_t answered = 0;
    MonoNs heard = 0;
  };
  std::optional<Exchange> exchanges_[kKept];
  uint64_t next_ = 0;
};

}  // namespace assay
