#include "run/cooling_gates.h"

#include <gtest/gtest.h>

#include <optional>

namespace assay {
namespace {

constexpr MonoNs kSecond = 1'000'000'000;

CoolingGates gates_of(const char* text) { return CoolingGates(cooldown_of(text)); }

CallRecord call_of(int64_t tokens = 10) {
  CallRecord call;
  call.completion_tokens = tokens;
  return call;
}

/// What the sensors said `at`: of the processor, and of a card where it was asked.
void see(MachineReadings& readings, MonoNs at, double celsius,
         std::optional<double> card = std::nullopt) {
  TelemetrySample sample;
  sample.cpu_temperature_c = celsius;
  sample.gpus.resize(1);
  sample.gpus[0].temperature_c = card;
  if (!card) sample.gpus[0].state = CardState::kNotAsked;
  readings.see(sample, at);
}

std::optional<MachineReadings> readings_of(double celsius, MonoNs at) {
  MachineReadings readings;
  see(readings, at, celsius);
  return readings;
}

TEST(CoolingGates, NothingStandsBeforeTheFirstCall) {
  CoolingGates gates = gates_of("call=2s,model=3s,batch=1:4s");
  EXPECT_FALSE(gates.before(0, kSecond));
}

TEST(CoolingGates, APauseCountsFromTheEndOfTheCallBefore) {
  CoolingGates gates = gates_of("2s");
  gates.ended(call_of(), 10 * kSecond);
  const auto gate = gates.before(0, 11 * kSecond);
  ASSERT_TRUE(gate);
  EXPECT_EQ(gate->name, "call");
  EXPECT_EQ(gate->until, 12 * kSecond);
  EXPECT_EQ(passage_of(*gate, std::nullopt, 11 * kSecond), Passage::kClosed);
  EXPECT_EQ(passage_of(*gate, std::nullopt, 12 * kSecond), Passage::kOpen);
  EXPECT_FALSE(gates.before(0, 13 * kSecond)) << "the time is over already";
}

TEST(CoolingGates, AnotherModelIsItsOwnGate) {
  CoolingGates gates = gates_of("call=2s,model=60C");
  EXPECT_FALSE(gates.before(0, 0));
  gates.ended(call_of(), kSecond);
  const auto gate = gates.before(1, kSecond);
  ASSERT_TRUE(gate);
  EXPECT_EQ(gate->name, "model");
  EXPECT_DOUBLE_EQ(*gate->below_c, 60);
  gates.ended(call_of(), 2 * kSecond);
  EXPECT_EQ(gates.before(1, 2 * kSecond)->name, "call");
}

TEST(CoolingGates, ABatchIsCountedInCallsThatWereSent) {
  CoolingGates gates = gates_of("batch=3:60s");
  for (MonoNs i = 1; i <= 3; ++i) {
    EXPECT_FALSE(gates.before(0, i * kSecond));
    gates.ended(call_of(), i * kSecond);
  }
  EXPECT_EQ(gates.before(0, 4 * kSecond)->name, "batch");
  gates.ended(call_of(), 100 * kSecond);
  EXPECT_FALSE(gates.before(0, 100 * kSecond)) << "the next batch has begun";
}

TEST(CoolingGates, TiersGoByTheCallBefore) {
  CoolingGates gates = gates_of("tiers");
  gates.ended(call_of(2000), 10 * kSecond);
  EXPECT_EQ(gates.before(0, 10 * kSecond)->until, 42 * kSecond);
  gates.ended(call_of(0), 50 * kSecond);
  EXPECT_EQ(gates.before(0, 50 * kSecond)->until, 52 * kSecond);
}

TEST(CoolingGates, ATemperatureOpensOrIsWaitedForInVain) {
  CoolingGates gates = gates_of("60C,max=5s");
  gates.ended(call_of(), kSecond);
  const auto gate = gates.before(0, kSecond);
  ASSERT_TRUE(gate);
  const MonoNs later = kSecond + 1;
  EXPECT_EQ(passage_of(*gate, readings_of(60, later), later), Passage::kOpen);
  EXPECT_EQ(passage_of(*gate, readings_of(60.1, later), later), Passage::kClosed);
  EXPECT_EQ(passage_of(*gate, std::nullopt, later), Passage::kClosed) << "nobody knows";
  EXPECT_EQ(passage_of(*gate, readings_of(80, 6 * kSecond), 6 * kSecond), Passage::kHeldTooLong);
}

TEST(CoolingGates, AReadingFromBeforeTheCallsEndOpensNothing) {
  CoolingGates gates = gates_of("60C,max=5s");
  gates.ended(call_of(), 10 * kSecond);
  const auto gate = gates.before(0, 10 * kSecond);
  ASSERT_TRUE(gate);
  EXPECT_EQ(passage_of(*gate, readings_of(50, 10 * kSecond), 11 * kSecond), Passage::kClosed);
  EXPECT_EQ(passage_of(*gate, readings_of(50, 10 * kSecond + 1), 11 * kSecond), Passage::kOpen);
}

TEST(CoolingGates, ACardThatIsAskedLessOftenHasToTellToo) {
  CoolingGates gates = gates_of("60C,max=30s");
  MachineReadings readings;
  see(readings, 9 * kSecond, 50, 90);
  gates.ended(call_of(), 10 * kSecond);
  const auto gate = gates.before(0, 10 * kSecond);
  ASSERT_TRUE(gate);
  see(readings, 11 * kSecond, 50);
  EXPECT_EQ(passage_of(*gate, readings, 11 * kSecond), Passage::kClosed) << "the card is at 90";
  see(readings, 14 * kSecond, 50, 59);
  EXPECT_EQ(passage_of(*gate, readings, 14 * kSecond), Passage::kOpen);
}

}  // namespace
}  // namespace assay
