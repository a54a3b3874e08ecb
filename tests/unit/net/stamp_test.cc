#include "net/stamp.h"

#include <gtest/gtest.h>

namespace assay {
namespace {

constexpr int64_t kMs = 1'000'000;

TEST(KernelClock, TurnsReceiveTimesIntoMonotonicOnes) {
  KernelClock clock;
  const int64_t wall = wall_now_ns();
  const MonoNs mono = mono_now_ns();
  const Stamp stamp = clock.stamp(wall);
  EXPECT_TRUE(stamp.kernel);
  EXPECT_NEAR(static_cast<double>(stamp.at), static_cast<double>(mono), 1e6);
  EXPECT_GE(stamp.read_at, stamp.at);
}

TEST(KernelClock, WithoutAKernelStampTheReadCounts) {
  KernelClock clock;
  const Stamp stamp = clock.stamp(0);
  EXPECT_FALSE(stamp.kernel);
  EXPECT_EQ(stamp.at, stamp.read_at);
}

TEST(KernelClock, AReceiptAfterTheReadIsNoReceipt) {
  KernelClock clock;
  const MonoNs mono = mono_now_ns();
  const int64_t wall = wall_now_ns();
  const Stamp stamp = clock.stamp_at(wall + 5 * kMs, mono, wall);
  EXPECT_FALSE(stamp.kernel);
  EXPECT_EQ(stamp.at, mono);
}

TEST(KernelClock, AReadingThatWasInterruptedIsNoStep) {
  KernelClock clock;
  const MonoNs mono = mono_now_ns();
  // 2 ms between our two readings look like a step; measuring again shows that there was none.
  const Stamp stamp = clock.stamp_at(wall_now_ns(), mono, wall_now_ns() + 2 * kMs);
  EXPECT_TRUE(stamp.kernel);
  EXPECT_EQ(clock.last_jump(), 0);
}

}  // namespace
}  // namespace assay
