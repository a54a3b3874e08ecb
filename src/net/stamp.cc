#include "net/stamp.h"

#include <cstdlib>
#include <limits>

namespace assay {

void KernelClock::measure() {
  constexpr int kSamples = 16;
  int64_t best_gap = std::numeric_limits<int64_t>::max();
  for (int i = 0; i < kSamples; ++i) {
    const MonoNs before = mono_now_ns();
    const int64_t wall = wall_now_ns();
    const MonoNs after = mono_now_ns();
    if (after - before < best_gap) {
      best_gap = after - before;
      offset_ns_ = wall - (before + (after - before) / 2);
    }
  }
}

Stamp KernelClock::stamp_at(int64_t kernel_wall_ns, MonoNs mono_ns, int64_t wall_ns) {
  // The two readings lie a few tens of nanoseconds apart, unless we were interrupted between them:
  // a repeated measurement tells that from a step.
  if (std::llabs((wall_ns - mono_ns) - offset_ns_) > kJumpNs) {
    const int64_t before = offset_ns_;
    measure();
    if (std::llabs(offset_ns_ - before) > kJumpNs) {
      last_jump_ = mono_ns;
      drop_until_ = mono_ns + kDropSpanNs;
    }
  }
  const Stamp by_read{mono_ns, mono_ns, false};
  if (kernel_wall_ns == 0 || mono_ns < drop_until_) return by_read;
  const MonoNs arrived = kernel_wall_ns - offset_ns_;
  if (arrived > mono_ns)
    return arrived - mono_ns > kJumpNs ? by_read : Stamp{mono_ns, mono_ns, true};
  return Stamp{arrived, mono_ns, true};
}

}  // namespace assay
