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
  EXPECT_EQ(beyond_limits(spec, sample), "");
  spec.max_temp = "90C";
  EXPECT_EQ(beyond_limits(spec, sample), "max_temp: the CPU is at 93 °C, above 90 °C");
  spec.max_temp = "93C";
  EXPECT_EQ(beyond_limits(spec, sample), "") << "at the limit is within it";
  spec.max_power = "300W";
  EXPECT_EQ(beyond_limits(spec, sample), "max_power: the machine takes 320 W, above 300 W");
  EXPECT_EQ(beyond_limits(spec, TelemetrySample()), "") << "what no sensor tells is within";
}

TEST(MachineGuard, LimitsAreLookedAtTwiceASecond) {
  RunSpec spec;
  EXPECT_DOUBLE_EQ(sampling_rate(spec), 1);
  spec.max_temp = "90C";
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
  MachineGuard guard(spec, meta, 0);
  TelemetrySample sample = busy_sample(100);
  sample.at_ns = mono_now_ns();
  guard.look(sample, in_flight);
  EXPECT_EQ(here.expired(), Expired::kNo) << "not sent yet";
  here.sent(mono_now_ns() - kSecond);
  elsewhere.sent(mono_now_ns() - kSecond);
  guard.look(sample, in_flight);
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
