#include "run/machine_guard.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <boost/asio/io_context.hpp>

namespace assay {
namespace {

constexpr MonoNs kSecond = 1'000'000'000;

TelemetrySample busy_sample(double percent) {
  TelemetrySample sample;
  sample.cpu_percent = percent;
  return sample;
}

TEST(MachineGuard, LimitsAreToldWithWhatWasSeen) {
  RunSpec spec;
  TelemetrySample sample;
  sample.cpu_temperature_c = 93;
  sample.cpu_power_w = 200;
  sample.gpus.resize(1);
  sample.gpus[0].power_w = 120;
  MachineReadings readings;
  readings.see(sample, kSecond);
  EXPECT_EQ(beyond_limits(spec, readings, kSecond), "");
  spec.max_temp = "90C";
  EXPECT_EQ(beyond_limits(spec, readings, kSecond), "max_temp: the CPU is at 93 °C, above 90 °C");
  spec.max_temp = "93C";
  EXPECT_EQ(beyond_limits(spec, readings, kSecond), "") << "at the limit is within it";
  spec.max_power = "300W";
  EXPECT_EQ(beyond_limits(spec, readings, kSecond),
            "max_power: the machine takes 320 W, above 300 W");
}

/// Nvidia-smi's card: asked every fifth second, hot and busy; the processor idles.
TelemetrySample with_card(bool is_asked, double celsius = 95) {
  TelemetrySample sample = busy_sample(3);
  sample.cpu_temperature_c = 50;
  sample.gpus.resize(1);
  GpuSample& card = sample.gpus[0];
  if (is_asked) {
    card.temperature_c = celsius;
    card.percent = 99;
  } else {
    card.state = CardState::kNotAsked;
  }
  return sample;
}

TEST(MachineGuard, ACardKeepsItsReadingUntilItIsAskedAgain) {
  RunSpec spec;
  spec.max_temp = "90C";
  MachineReadings readings;
  BusyMachine busy(1);
  for (int second = 0; second < 12; ++second) {
    const MonoNs now = (100 + second) * kSecond;
    readings.see(with_card(second % 5 == 0), now);
    busy.see(readings.sample, now);
    const std::string age = second % 5 > 1 ? std::to_string(second % 5) + " s ago, " : "";
    EXPECT_EQ(beyond_limits(spec, readings, now),
              "max_temp: the GPU 0 is at 95 °C, " + age + "above 90 °C")
        << second;
    EXPECT_EQ(busy.since(), 100 * kSecond) << second;
  }
}

TEST(MachineGuard, ACardThatIsNeverAskedAgainIsForgottenAndSaid) {
  RunSpec spec;
  spec.max_temp = "99C";
  MachineReadings readings;
  readings.see(with_card(true), 100 * kSecond);
  for (int second = 1; second <= 8; ++second) {
    readings.see(with_card(false), (100 + second) * kSecond);
    EXPECT_TRUE(readings.sample.gpus[0].percent) << second;
    EXPECT_EQ(beyond_limits(spec, readings, (100 + second) * kSecond), "") << second;
  }
  readings.see(with_card(false), 109 * kSecond);
  EXPECT_FALSE(readings.sample.gpus[0].percent);
  EXPECT_EQ(beyond_limits(spec, readings, 109 * kSecond), "") << "one question may fail";
  readings.see(with_card(false), 119 * kSecond);
  EXPECT_EQ(beyond_limits(spec, readings, 119 * kSecond),
            "max_temp: guard_blind: the sensor of the GPU 0 tells nothing any more, 19 s after its "
            "last word");
  EXPECT_EQ(beyond_limits(spec, readings, 140 * kSecond),
            "max_temp: guard_blind: no sample came for 21 s");
}

TEST(MachineGuard, ASensorThatGoesAwayIsBeyondTheLimits) {
  RunSpec spec;
  spec.max_temp = "90C";
  TelemetrySample sample;
  sample.cpu_temperature_c = 50;
  sample.gpus.resize(1);
  sample.gpus[0].temperature_c = 40;
  MachineReadings readings;
  readings.see(sample, 1 * kSecond);
  sample.cpu_temperature_c.reset();
  sample.gpus[0].temperature_c.reset();
  sample.gpus[0].state = CardState::kAsleep;  // Which is no fault.
  for (int i = 2; i < 1 + kSilentSamples; ++i) {
    readings.see(sample, i * kSecond);
    EXPECT_EQ(beyond_limits(spec, readings, i * kSecond), "") << "it may stumble";
  }
  readings.see(sample, 4 * kSecond);
  EXPECT_THAT(beyond_limits(spec, readings, 4 * kSecond),
              testing::StartsWith("max_temp: guard_blind: the sensor of the CPU tells nothing"));
  spec.max_temp.clear();
  EXPECT_EQ(beyond_limits(spec, readings, 4 * kSecond), "") << "nobody asked for it";
  // Of a sensor that was there before the run and never told in it nothing is known either.
  MachineReadings never;
  spec.max_temp = "90C";
  for (int i = 1; i <= 20; ++i) never.see(TelemetrySample(), i * kSecond);
  EXPECT_EQ(beyond_limits(spec, never, 20 * kSecond),
            "max_temp: guard_blind: no sensor tells it any more");
}

TEST(MachineGuard, LimitsAreLookedAtTwiceASecond) {
  RunSpec spec;
  EXPECT_DOUBLE_EQ(sampling_rate(spec), 1);
  spec.max_temp = "90C";
  EXPECT_DOUBLE_EQ(sampling_rate(spec), kGuardedRate);
  spec.max_temp.clear();
  spec.cooldown = "10s";
  EXPECT_DOUBLE_EQ(sampling_rate(spec), 1);
  spec.cooldown = "60C";
  spec.sample_rate = 0.2;
  EXPECT_DOUBLE_EQ(sampling_rate(spec), kGuardedRate);
  spec.sample_rate = 10;
  EXPECT_DOUBLE_EQ(sampling_rate(spec), 10);
  spec.sample_rate = 0;
  EXPECT_DOUBLE_EQ(sampling_rate(spec), 0);
}

TEST(BusyMachine, IsBusyFromTheFirstSampleOfARowOn) {
  BusyMachine machine(1);
  machine.see(busy_sample(20), 1 * kSecond);
  EXPECT_FALSE(machine.since());
  machine.see(busy_sample(99), 2 * kSecond);
  EXPECT_EQ(machine.since(), 1 * kSecond) << "a sample speaks for the time before it";
  machine.see(busy_sample(96), 3 * kSecond);
  EXPECT_EQ(machine.since(), 1 * kSecond);
  machine.see(busy_sample(94), 4 * kSecond);
  EXPECT_FALSE(machine.since());
}

TEST(BusyMachine, AnEnginesThreadsOrACardAreEnough) {
  BusyMachine machine(0.5);
  machine.see(busy_sample(48), 1 * kSecond);
  EXPECT_TRUE(machine.since());
  BusyMachine card(1);
  TelemetrySample sample = busy_sample(3);
  sample.gpus.resize(2);
  sample.gpus[1].percent = 97;
  card.see(sample, kSecond);
  EXPECT_TRUE(card.since());
}

TEST(MachineGuard, ACallWithoutATokenOnABusyMachineIsGivenUp) {
  RunSpec spec;
  spec.busy_timeout = std::chrono::nanoseconds(1);
  RunMeta meta;
  meta.cells.resize(2);
  meta.cells[0].id = "local:ollama:m";
  meta.cells[0].url = "http://127.0.0.1:1";
  meta.cells[1].id = "box:ollama:m";
  meta.cells[1].url = "http://203.0.113.9:1";
  meta.legs.resize(2);
  meta.legs[1].cell = 1;
  meta.calls = {{0, 0, 0, 0}, {1, 0, 0, 0}};
  boost::asio::io_context io;
  CallWatch here(io, Limits());
  CallWatch elsewhere(io, Limits());
  InFlight in_flight([](bool) {});
  in_flight.add(0, here);
  in_flight.add(1, elsewhere);
  MachineGuard guard(spec, meta);
  TelemetrySample sample = busy_sample(100);
  MachineReadings readings;
  readings.see(sample, mono_now_ns());
  guard.look(readings, in_flight);
  EXPECT_EQ(here.expired(), Expired::kNo) << "not sent yet";
  here.sent(mono_now_ns() - kSecond);
  elsewhere.sent(mono_now_ns() - kSecond);
  guard.look(readings, in_flight);
  EXPECT_EQ(here.expired(), Expired::kBusy);
  EXPECT_EQ(elsewhere.expired(), Expired::kNo) << "its engine's machine is another one";
  in_flight.remove(0);
  in_flight.remove(1);
}

TEST(MachineGuard, SensorsOfAnotherMachineDecideNothing) {
  RunSpec spec;
  Cell cell;
  cell.id = "box:ollama:m";
  cell.url = "http://203.0.113.9:1";
  EXPECT_TRUE(check_guard_cells(spec, {cell}));
  spec.max_temp = "90C";
  const auto checked = check_guard_cells(spec, {cell});
  ASSERT_FALSE(checked);
  EXPECT_THAT(checked.error().message, testing::HasSubstr("runs on another"));
  cell.url = "http://127.0.0.1:1";
  EXPECT_TRUE(check_guard_cells(spec, {cell}));
}

}  // namespace
}  // namespace assay
