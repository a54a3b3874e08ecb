#pragma once

#include <cstdint>

#include "base/clock.h"

namespace assay {

/// When bytes arrived. `at` is what measuring uses: the kernel's receive time where it is known,
/// else the time of our own read. A read that spans several segments carries the last one's time.
struct Stamp {
  MonoNs at = 0;
  MonoNs read_at = 0;
  bool kernel = false;
};

/// Turns the kernel's wall-clock receive times into monotonic instants. The two clocks differ by an
/// offset that only a step of the wall clock changes; every stamp re-checks it. After a step the
/// kernel's times are not used for kDropSpan, so that none is off by the step. One thread.
class KernelClock {
 public:
  static constexpr int64_t kJumpNs = 1'000'000;
  static constexpr int64_t kDropSpanNs = 100'000'000;

  KernelClock() { measure(); }

  /// `kernel_wall_ns` is SCM_TIMESTAMPNS, or 0 where the kernel gave none.
  Stamp stamp(int64_t kernel_wall_ns) {
    return stamp_at(kernel_wall_ns, mono_now_ns(), wall_now_ns());
  }

  /// The same with the clocks' readings passed in, for tests.
  Stamp stamp_at(int64_t kernel_wall_ns, MonoNs mono_ns, int64_t wall_ns);

  /// Instant of the last step of the wall clock that was seen; 0 when there was none.
  [[nodiscard]] MonoNs last_jump() const { return last_jump_; }

 private:
  void measure();

  int64_t offset_ns_ = 0;  // wall - monotonic
  MonoNs last_jump_ = 0;
  MonoNs drop_until_ = 0;
};

}  // namespace assay
