#include "telemetry/sampler.h"

#include <gtest/gtest.h>

#include <cstdlib>
#include <future>
#include <optional>

#include "telemetry/clock_offset.h"
#include "unit/telemetry/recorded_machine.h"

namespace assay {
namespace {

TEST(Sampler, SamplesOnAThreadOfItsOwn) {
  const RecordedMachine recorded("laptop");
  std::promise<TelemetrySample> watched;
  int with_engine = 0;
  SamplerOptions options{recorded.roots(), 10, mono_now_ns()};
  Sampler sampler(options, [&](const TelemetryStream& about, const TelemetrySample& sample) {
    EXPECT_EQ(about.cores, 4);
    if (sample.engine_memory_bytes && ++with_engine == 2) watched.set_value(sample);
  });
  sampler.watch({{4321}, {}});
  const TelemetrySample sample = watched.get_future().get();
  EXPECT_GT(sample.at_ns, 0);
  EXPECT_DOUBLE_EQ(sample.cpu_temperature_c.value_or(0), 71);
}

TEST(Sampler, EndsWhileItWaits) {
  const RecordedMachine recorded("container");
  int samples = 0;
  {
    const Sampler sampler({recorded.roots(), 0.1, 0},
                          [&](const TelemetryStream&, const TelemetrySample&) { ++samples; });
  }
  EXPECT_EQ(samples, 0) << "a tenth of a period is no sample";
}

TEST(ClockOffset, TheFastestExchangeBoundsBest) {
  ClockOffset clock;
  EXPECT_FALSE(clock.estimate());
  clock.add(1'000, 501'500, 2'000);  // Ahead by 500,000, within 500.
  clock.add(5'000, 505'900, 6'000);  // Answered late: 500,400 within 500.
  EXPECT_EQ(clock.estimate()->ahead_ns, 500'000);
  EXPECT_EQ(clock.estimate()->bound_ns, 500);
  clock.add(8'000, 508'100, 8'200);
  EXPECT_EQ(clock.estimate()->ahead_ns, 500'000);
  EXPECT_EQ(clock.estimate()->bound_ns, 100);
}

TEST(ClockOffset, TheTruthIsWithinTheBoundHoweverTheWaySplits) {
  constexpr int64_t kAhead = -7'000'000;
  for (int64_t there = 0; there <= 1'000; there += 100) {
    ClockOffset clock;
    clock.add(10'000, 10'000 + there + kAhead, 11'000);
    const auto estimate = clock.estimate();
    EXPECT_LE(std::abs(estimate->ahead_ns - kAhead), estimate->bound_ns) << there;
  }
}

TEST(ClockOffset, OldExchangesAreForgotten) {
  ClockOffset clock;
  clock.add(0, 100, 2);
  for (int64_t i = 1; i <= 8; ++i) clock.add(i * 1'000, i * 1'000 + 550, i * 1'000 + 100);
  EXPECT_EQ(clock.estimate()->bound_ns, 50);
  EXPECT_EQ(clock.estimate()->ahead_ns, 500);
}

}  // namespace
}  // namespace assay
