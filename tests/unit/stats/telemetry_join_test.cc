#include "stats/telemetry_join.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <string>
#include <utility>

#include "reports/report_model.h"
#include "stats/leg_marks.h"
#include "stats/legs.h"
#include "stats/machine_samples.h"
#include "unit/stats/machine_samples.h"
#include "unit/stats/synthetic.h"

namespace assay {
namespace {

using synthetic::sampled;
using testing::AllOf;
using testing::ElementsAre;
using testing::HasSubstr;
using testing::StartsWith;

constexpr const char* kCell = "local:llamacpp:m";

/// One leg of `calls` calls of 2 s and 100 tokens, each begun at a whole second.
LedgerContent ledger_with(int64_t calls, int64_t concurrency = 1) {
  Leg leg;
  leg.calls = calls;
  leg.concurrency = concurrency;
  LedgerContent ledger = synthetic::one_leg(kCell, "p", std::move(leg));
  for (int64_t i = 0; i < calls; ++i) {
    const double at_ms = 2000 + 2000.0 * static_cast<double>(i / concurrency);
    CallRecord call = synthetic::ok_call(at_ms, {.ttft_ms = 20, .gap_ms = 20, .tokens = 100});
    call.at.done = *call.at.sent + 2'000'000'000;
    call.cell_id = kCell;
    call.prompt_id = "p";
    call.index = i;
    call.run_idx = i;
    call.concurrency = concurrency;
    ledger.calls.push_back(std::move(call));
    ledger.meta.calls.push_back({0, i, i, 0});
  }
  RunEnd end;
  end.state = "completed";
  ledger.end = end;
  return ledger;
}

TEST(LegTelemetry, AnEngineElsewhereIsRemote) {
  LedgerContent ledger = ledger_with(3);
  EXPECT_FALSE(group_legs(ledger).legs[0].telemetry) << "nothing was sampled at all";
  ledger.telemetry = {
      sampled("other:cell:m", 10, [](int64_t, TelemetrySample& s) { s.cpu_percent = 50; })};
  const auto leg = group_legs(ledger).legs[0];
  ASSERT_TRUE(leg.telemetry);
  EXPECT_EQ(leg.telemetry->missing, "remote");
  EXPECT_FALSE(leg.telemetry->cpu_percent);
}

TEST(LegTelemetry, LevelsAreOfTheTimeInFlightAlone) {
  LedgerContent ledger = ledger_with(3);  // 2 s to 8 s.
  ledger.telemetry = {sampled(kCell, 12, [](int64_t second, TelemetrySample& s) {
    const bool busy = second > 2 && second <= 8;
    s.cpu_percent = busy ? 90 : 5;
    s.cpu_mhz = busy ? 3000 : 800;
    s.cpu_temperature_c = busy ? 80 + static_cast<double>(second) : 99;
    s.engine_memory_bytes = 1e9 + static_cast<double>(second);
  })};
  const LegTelemetry machine = *group_legs(ledger).legs[0].telemetry;
  EXPECT_EQ(machine.missing, "");
  EXPECT_EQ(machine.samples, 6);
  EXPECT_DOUBLE_EQ(*machine.cpu_percent, 90);
  EXPECT_DOUBLE_EQ(*machine.cpu_mhz, 3000);
  EXPECT_DOUBLE_EQ(*machine.peak_cpu_temperature_c, 88);
  EXPECT_DOUBLE_EQ(*machine.peak_engine_memory_bytes, 1e9 + 8);
  EXPECT_EQ(machine.sent_calls, 3);
  EXPECT_EQ(machine.throttled_calls, 0);
}

TEST(LegTelemetry, JoulesPerTokenGrossAndNet) {
  LedgerContent ledger = ledger_with(3);
  // Moved so that 12 s of rest at 20 W lie before; then 70 W.
  for (CallRecord& call : ledger.calls) {
    for (auto* at : {&call.at.sent, &call.at.first_text, &call.at.last_text, &call.at.done}) {
      **at += 10'000'000'000;
    }
  }
  ledger.telemetry = {sampled(kCell, 20, [](int64_t second, TelemetrySample& s) {
    const auto t = static_cast<double>(second);
    s.cpu_energy_j = t <= 12 ? 20 * t : 240 + 70 * (t - 12);
  })};
  const LegTelemetry machine = *group_legs(ledger).legs[0].telemetry;
  ASSERT_EQ(machine.energy.size(), 1U);
  const LegEnergy& energy = machine.energy[0];
  EXPECT_EQ(domain_name(energy.domain), "cpu_pkg");
  EXPECT_NEAR(energy.joules, 420, 1e-9);
  EXPECT_NEAR(*energy.mean_power_w, 70, 1e-9);
  EXPECT_NEAR(*energy.j_per_token, 1.4, 1e-9);
  EXPECT_NEAR(*energy.idle_power_w, 20, 1e-9);
  EXPECT_NEAR(*energy.net_j_per_token, 1.0, 1e-9);
  EXPECT_FALSE(energy.attributed);
}

TEST(LegTelemetry, CallsSideBySideAreCountedOnce) {
  LedgerContent ledger = ledger_with(4, 4);  // All from 2 s to 4 s.
  ledger.telemetry = {sampled(kCell, 8, [](int64_t second, TelemetrySample& s) {
    s.cpu_energy_j = 50 * static_cast<double>(second);
  })};
  const LegEnergy energy = group_legs(ledger).legs[0].telemetry->energy.at(0);
  EXPECT_NEAR(energy.joules, 100, 1e-9);
  EXPECT_NEAR(*energy.j_per_token, 0.25, 1e-9);
  EXPECT_FALSE(energy.attributed);
}

TEST(LegTelemetry, WhatTwoLegsTookTogetherIsSharedOut) {
  LedgerContent ledger = ledger_with(4, 4);
  ledger.calls[0].prefix = ledger.calls[1].prefix = Prefix::kReused;
  ledger.calls[2].prefix = ledger.calls[3].prefix = Prefix::kFresh;
  ledger.telemetry = {sampled(kCell, 8, [](int64_t second, TelemetrySample& s) {
    s.cpu_energy_j = 50 * static_cast<double>(second);
  })};
  const auto legs = group_legs(ledger).legs;
  ASSERT_EQ(legs.size(), 2U);
  for (const LegResult& leg : legs) {
    EXPECT_NEAR(leg.telemetry->energy.at(0).joules, 50, 1e-9);
    EXPECT_TRUE(leg.telemetry->energy.at(0).attributed);
  }
}

TEST(LegTelemetry, WithoutTokenCountsThereIsEnergyAndNoShareOfIt) {
  LedgerContent ledger = ledger_with(3);
  ledger.calls[1].completion_tokens.reset();
  ledger.telemetry = {sampled(kCell, 12, [](int64_t second, TelemetrySample& s) {
    s.cpu_energy_j = 50 * static_cast<double>(second);
  })};
  const LegEnergy energy = group_legs(ledger).legs[0].telemetry->energy.at(0);
  EXPECT_NEAR(energy.joules, 300, 1e-9);
  EXPECT_FALSE(energy.j_per_token);
}

TEST(LegTelemetry, ThrottlingMarksTheLegAndTheCalls) {
  LedgerContent ledger = ledger_with(3);
  ledger.telemetry = {sampled(kCell, 12, [](int64_t second, TelemetrySample& s) {
    s.cpu_throttle_events = second >= 5 ? 3 : 0;   // During the second call.
    s.cgroup_throttled_s = second >= 8 ? 0.4 : 0;  // During the third.
    s.gpus.resize(1);
    s.gpus[0].throttle = throttle::kPowerCap;  // Told, and no mark.
  })};
  const LegResult leg = group_legs(ledger).legs[0];
  EXPECT_EQ(leg.telemetry->throttled_calls, 2);
  EXPECT_THAT(leg.telemetry->throttled_by, ElementsAre("cpu: thermal", "container: CPU limit"));
  EXPECT_DOUBLE_EQ(*leg.telemetry->power_capped_share, 1);
  const LegMark* mark = find_mark(leg, "throttled");
  ASSERT_NE(mark, nullptr);
  EXPECT_EQ(mark->detail, "2 of 3 calls (cpu: thermal, container: CPU limit)");
  const ReportModel model = make_report_model(std::move(ledger));
  EXPECT_THAT(model.calls[0].flags, testing::Not(testing::Contains("throttled")));
  EXPECT_THAT(model.calls[1].flags, testing::Contains("throttled"));
  EXPECT_THAT(model.calls[2].flags, testing::Contains("throttled"));
  EXPECT_TRUE(model.cells[0].marked);
}

TEST(LegTelemetry, ACardTooHotIsAMark) {
  LedgerContent ledger = ledger_with(1);
  ledger.telemetry = {sampled(kCell, 6, [](int64_t, TelemetrySample& s) {
    s.gpus.resize(2);
    s.gpus[1].throttle = throttle::kThermal | throttle::kHardware;
  })};
  EXPECT_THAT(group_legs(ledger).legs[0].telemetry->throttled_by,
              ElementsAre("gpu: thermal", "gpu: hardware slowdown"));
}

TEST(LegTelemetry, AClockThatFellWhileItGotHotterIsEvidence) {
  LedgerContent ledger = ledger_with(10);  // 2 s to 22 s.
  ledger.telemetry = {sampled(kCell, 24, [](int64_t second, TelemetrySample& s) {
    s.cpu_mhz = 3600 - 40 * static_cast<double>(second);
    s.cpu_temperature_c = 60 + static_cast<double>(second);
  })};
  const LegResult leg = group_legs(ledger).legs[0];
  const LegMark* mark = find_mark(leg, "clock_fell");
  ASSERT_NE(mark, nullptr);
  EXPECT_THAT(mark->detail, HasSubstr("the clock of the CPU from 3"));
}

TEST(LegTelemetry, AProcessorThatTellsDoesNotHideACard) {
  LedgerContent ledger = ledger_with(10);
  ledger.telemetry = {sampled(kCell, 24, [](int64_t second, TelemetrySample& s) {
    s.cpu_mhz = 3600;
    s.cpu_temperature_c = 60;
    s.gpus.resize(2);
    s.gpus[1].mhz = 1900 - 20 * static_cast<double>(second);
    s.gpus[1].temperature_c = 60 + static_cast<double>(second);
  })};
  ledger.telemetry[0].gpus = 2;
  const LegResult leg = group_legs(ledger).legs[0];
  const LegMark* mark = find_mark(leg, "clock_fell");
  ASSERT_NE(mark, nullptr);
  EXPECT_THAT(mark->detail, StartsWith("the clock of the GPU 1 from 1"));
  const Span all{2'000'000'000, 22'000'000'000};
  EXPECT_THAT(course_evidence(ledger.telemetry[0], {&all, 1}),
              AllOf(StartsWith("meanwhile the GPU 1 went from 1"),
                    HasSubstr(", the CPU from 3600 to 3600 MHz and from 60 to 60 °C")));
}

TEST(LegTelemetry, AClockThatFellInTheColdIsNone) {
  LedgerContent ledger = ledger_with(10);
  ledger.telemetry = {sampled(kCell, 24, [](int64_t second, TelemetrySample& s) {
    s.cpu_mhz = 3600 - 40 * static_cast<double>(second);
    s.cpu_temperature_c = 60;
  })};
  const LegResult leg = group_legs(ledger).legs[0];
  EXPECT_EQ(find_mark(leg, "clock_fell"), nullptr);
}

TEST(LegTelemetry, HeatIsInBandsAndAWord) {
  LedgerContent ledger = ledger_with(5);  // 2 s to 12 s.
  ledger.telemetry = {sampled(kCell, 14, [](int64_t second, TelemetrySample& s) {
    s.cpu_temperature_c = second <= 9 ? 60 : 90;
    s.gpus.resize(2);
    s.gpus[0].temperature_c = 40;
    s.gpus[1].temperature_c = 45;
  })};
  const LegTelemetry machine = *group_legs(ledger).legs[0].telemetry;
  ASSERT_TRUE(machine.cpu_heat);
  EXPECT_NEAR(machine.cpu_heat->share[1], 0.7, 1e-9);
  EXPECT_NEAR(machine.cpu_heat->share[3], 0.3, 1e-9);
  EXPECT_EQ(machine.cpu_heat->hottest, Warmth::kHot);
  EXPECT_NEAR(machine.cpu_heat->hottest_share, 0.3, 1e-9);
  EXPECT_EQ(machine.gpu_heat->hottest, Warmth::kCool);
  EXPECT_NEAR(machine.gpu_heat->hottest_share, 1, 1e-9);
}

TEST(LegTelemetry, EachCallHasItsEnergy) {
  LedgerContent ledger = ledger_with(4, 2);  // Two at once, 2 s each.
  ledger.calls[3].at.done = *ledger.calls[3].at.sent + 10'000'000'000;
  ledger.telemetry = {sampled(kCell, 20, [](int64_t second, TelemetrySample& s) {
    s.cpu_energy_j = 50 * static_cast<double>(second);
  })};
  const LegEnergy leg = group_legs(ledger).legs[0].telemetry->energy.at(0);
  const ReportModel model = make_report_model(std::move(ledger));
  ASSERT_EQ(model.call_energy.size(), 4U);
  EXPECT_NEAR(model.call_energy[0].at(0).joules, 50, 1e-9);
  EXPECT_TRUE(model.call_energy[0][0].attributed);
  EXPECT_NEAR(model.call_energy[3].at(0).joules, 50 + 8 * 50, 1e-9);
  EXPECT_FALSE(model.call_energy[0][0].net_joules) << "nothing is known of the machine at rest";
  double sum = 0;
  for (const auto& call : model.call_energy) sum += call.at(0).joules;
  EXPECT_NEAR(sum, leg.joules, 1e-9);
  EXPECT_NEAR(*leg.j_per_call, sum / 4, 1e-9);
  EXPECT_EQ(model.flights.size(), 4U);
}

TEST(LegTelemetry, ALongCallAloneIsMeasuredAndNotAttributed) {
  LedgerContent ledger = ledger_with(1);
  ledger.calls[0].at.done = *ledger.calls[0].at.sent + 6'000'000'000;
  ledger.telemetry = {sampled(kCell, 12, [](int64_t second, TelemetrySample& s) {
    s.cpu_energy_j = 50 * static_cast<double>(second);
  })};
  const ReportModel model = make_report_model(std::move(ledger));
  EXPECT_NEAR(model.call_energy.at(0).at(0).joules, 300, 1e-9);
  EXPECT_FALSE(model.call_energy[0][0].attributed);
}

TEST(LegTelemetry, CoolingIsInNoThroughput) {
  LedgerContent ledger = ledger_with(3);  // 2 s to 8 s.
  for (CallRecord& call : ledger.calls) call.at.start = call.at.due = call.at.sent;
  const double without = *group_legs(ledger).legs[0].requests_per_sec;
  ledger.calls[2].at.done = *ledger.calls[2].at.done + 10'000'000'000;
  ledger.calls[2].at.sent = *ledger.calls[2].at.sent + 10'000'000'000;
  ledger.waits.push_back({6'000'000'000, 16'000'000'000, "call", 60.0, 59.0, true});
  ledger.waits.push_back({500'000'000'000, 600'000'000'000, "model", {}, {}, true});
  EXPECT_NEAR(*group_legs(ledger).legs[0].requests_per_sec, without, 1e-9);
  const ReportModel model = make_report_model(std::move(ledger));
  EXPECT_EQ(model.cooling.waits, 2);
  EXPECT_NEAR(model.cooling.seconds, 110, 1e-9);
}

}  // namespace
}  // namespace assay
