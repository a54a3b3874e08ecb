#include "stats/energy.h"

#include <gtest/gtest.h>

#include <vector>

#include "unit/stats/machine_samples.h"

namespace assay {
namespace {

using synthetic::kSecondNs;
using synthetic::sampled;

constexpr auto kCpu = EnergyDomain::kCpuPackages;
constexpr auto kGpu = EnergyDomain::kGpus;

Span seconds(double from, double to) {
  return {static_cast<int64_t>(from * 1e9), static_cast<int64_t>(to * 1e9)};
}

std::optional<double> joules(const TelemetryStream& stream, EnergyDomain domain,
                             std::vector<Span> spans) {
  return EnergyMeter(stream, domain).joules(spans);
}

/// 40 W up to 10 s, then 100 W.
TelemetryStream by_counter() {
  return sampled("c", 20, [](int64_t s, TelemetrySample& sample) {
    const auto second = static_cast<double>(s);
    sample.cpu_energy_j = second <= 10 ? 40 * second : 400 + 100 * (second - 10);
  });
}

TEST(Energy, ACounterIsReadBetweenItsSamples) {
  const TelemetryStream stream = by_counter();
  EXPECT_DOUBLE_EQ(*joules(stream, kCpu, {seconds(2, 4)}), 80);
  EXPECT_DOUBLE_EQ(*joules(stream, kCpu, {seconds(10.25, 10.75)}), 50);
  EXPECT_DOUBLE_EQ(*joules(stream, kCpu, {seconds(9.5, 10.5)}), 70);
  EXPECT_DOUBLE_EQ(*joules(stream, kCpu, {seconds(2, 3), seconds(12, 13)}), 140);
}

TEST(Energy, TheEndsReachALittleBeyondTheSamples) {
  const TelemetryStream stream = by_counter();
  EXPECT_DOUBLE_EQ(*joules(stream, kCpu, {seconds(0, 2)}), 80);
  EXPECT_DOUBLE_EQ(*joules(stream, kCpu, {seconds(19, 21)}), 200);
  EXPECT_FALSE(joules(stream, kCpu, {seconds(19, 22)}));
  EXPECT_FALSE(joules(stream, kCpu, {seconds(-1, 2)}));
  EXPECT_FALSE(joules(stream, kCpu, {}));
}

TEST(Energy, WithoutACounterPowerIsTheTrapezoid) {
  const TelemetryStream stream = sampled("c", 10, [](int64_t s, TelemetrySample& sample) {
    sample.gpus.resize(1);
    sample.gpus[0].power_w = 10 * static_cast<double>(s);
  });
  EXPECT_DOUBLE_EQ(*joules(stream, kGpu, {seconds(2, 4)}), 60);
  EXPECT_FALSE(joules(stream, kCpu, {seconds(2, 4)}));
}

TEST(Energy, ACounterGoesBeforePower) {
  const TelemetryStream stream = sampled("c", 10, [](int64_t s, TelemetrySample& sample) {
    sample.gpus.resize(1);
    sample.gpus[0].power_w = 500;
    sample.gpus[0].energy_j = 60 * static_cast<double>(s);
  });
  EXPECT_DOUBLE_EQ(*joules(stream, kGpu, {seconds(2, 4)}), 120);
}

TEST(Energy, ACardsCounterThatStandsStillIsNone) {
  const TelemetryStream stream = sampled("c", 10, [](int64_t, TelemetrySample& sample) {
    sample.gpus.resize(1);
    sample.gpus[0].power_w = 60;
    sample.gpus[0].energy_j = 123'456;
  });
  EXPECT_DOUBLE_EQ(*joules(stream, kGpu, {seconds(2, 4)}), 120);
  const TelemetryStream alone = sampled("c", 10, [](int64_t, TelemetrySample& sample) {
    sample.gpus.resize(1);
    sample.gpus[0].energy_j = 123'456;
  });
  EXPECT_FALSE(joules(alone, kGpu, {seconds(2, 4)}));
}

TEST(Energy, CardsThatTellAreAddedAndThoseThatNeverDoAreLeftOut) {
  const TelemetryStream stream = sampled("c", 10, [](int64_t, TelemetrySample& sample) {
    sample.gpus.resize(3);
    sample.gpus[0].power_w = 100;
    sample.gpus[2].power_w = 50;
  });
  EXPECT_DOUBLE_EQ(*joules(stream, kGpu, {seconds(2, 4)}), 300);
}

TelemetryStream without(TelemetryStream stream, int64_t after_s, int64_t before_s) {
  std::erase_if(stream.samples, [&](const TelemetrySample& sample) {
    return sample.at_ns > after_s * kSecondNs && sample.at_ns < before_s * kSecondNs;
  });
  return stream;
}

TEST(Energy, AHoleInTheReadingsIsNotBridged) {
  const TelemetryStream power = without(sampled("c", 40,
                                                [](int64_t, TelemetrySample& sample) {
                                                  sample.gpus.resize(1);
                                                  sample.gpus[0].power_w = 100;
                                                }),
                                        5, 12);
  EXPECT_FALSE(joules(power, kGpu, {seconds(4, 13)}));
  EXPECT_FALSE(joules(power, kGpu, {seconds(7, 8)}));
  EXPECT_DOUBLE_EQ(*joules(power, kGpu, {seconds(13, 14)}), 100);
}

TEST(Energy, ACounterKnowsWhatAThinnedFileLeftOut) {
  const auto counter = [](int64_t s, TelemetrySample& sample) {
    sample.cpu_energy_j = 40 * static_cast<double>(s);
  };
  EXPECT_DOUBLE_EQ(*joules(without(sampled("c", 40, counter), 5, 15), kCpu, {seconds(4, 16)}), 480);
  EXPECT_FALSE(joules(without(sampled("c", 40, counter), 5, 18), kCpu, {seconds(4, 19)}));
}

TEST(Energy, ASensorThatIsAskedSeldomHasItsOwnPace) {
  const TelemetryStream stream = sampled("c", 40, [](int64_t s, TelemetrySample& sample) {
    sample.gpus.resize(1);
    if (s % 6 == 0) sample.gpus[0].power_w = 100;
  });
  EXPECT_DOUBLE_EQ(*joules(stream, kGpu, {seconds(1, 30)}), 2900);
}

TEST(Energy, ACounterThatBeganAnewIsNotBridged) {
  const TelemetryStream stream = sampled("c", 10, [](int64_t s, TelemetrySample& sample) {
    sample.cpu_energy_j = 40 * static_cast<double>(s <= 5 ? s : s - 5);
  });
  EXPECT_FALSE(joules(stream, kCpu, {seconds(4, 7)}));
  EXPECT_DOUBLE_EQ(*joules(stream, kCpu, {seconds(7, 9)}), 80);
}

TEST(Energy, PowerAtRestNeedsTenSecondsBeforeTheFirstCall) {
  EXPECT_DOUBLE_EQ(*idle_power_w(by_counter(), kCpu, 10 * kSecondNs), 40);
  EXPECT_FALSE(idle_power_w(by_counter(), kCpu, 9 * kSecondNs));
  EXPECT_FALSE(idle_power_w(by_counter(), kGpu, 10 * kSecondNs));
  EXPECT_FALSE(idle_power_w({}, kCpu, 10 * kSecondNs));
}

TEST(Energy, SpansThatTouchAreOne) {
  const auto spans =
      joined({seconds(5, 7), seconds(1, 2), seconds(6, 9), seconds(2, 3), seconds(4, 4)});
  ASSERT_EQ(spans.size(), 2U);
  EXPECT_DOUBLE_EQ(seconds_of(spans), 2 + 4);
}

}  // namespace
}  // namespace assay
