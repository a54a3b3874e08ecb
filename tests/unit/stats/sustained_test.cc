#include "stats/sustained.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "reports/builtin.h"
#include "reports/report_model.h"
#include "reports/sustained_text.h"
#include "unit/stats/machine_samples.h"
#include "unit/stats/synthetic.h"

namespace assay {
namespace {

using testing::EndsWith;
using testing::HasSubstr;

constexpr const char* kCell = "local:llamacpp:m";

/// Ten minutes of calls of 64 tokens whose gaps grow by `slower` from the first to the last.
LedgerContent ten_minutes(double slower) {
  Leg leg;
  leg.sustain_s = 600;
  LedgerContent ledger = synthetic::one_leg(kCell, "tg64", std::move(leg));
  double at_ms = 1000;
  for (int64_t i = 0; at_ms < 601'000; ++i) {
    const double gap = 20 * (1 + slower * at_ms / 600'000);
    CallRecord call = synthetic::ok_call(at_ms, {.ttft_ms = gap, .gap_ms = gap, .tokens = 64});
    call.cell_id = kCell;
    call.prompt_id = "tg64";
    call.index = call.run_idx = i;
    at_ms += 64 * gap + 1;
    ledger.calls.push_back(std::move(call));
    ledger.meta.calls.push_back({0, i, 0, 0});
  }
  ledger.meta.legs[0].calls = std::ssize(ledger.calls);
  RunEnd end;
  end.state = "completed";
  ledger.end = end;
  ledger.telemetry = {synthetic::sampled(kCell, 605, [](int64_t second, TelemetrySample& s) {
    const auto t = static_cast<double>(second);
    s.cpu_temperature_c = 60 + t / 30;
    s.cpu_mhz = 3600 - t;
    s.gpus.resize(2);  // One that throttles, and one at its ease.
    s.gpus[0].mhz = t < 300 ? 1900 : 1300;
    s.gpus[0].temperature_c = t < 300 ? 60 : 84;
    s.gpus[1].mhz = 1500;
  })};
  ledger.telemetry[0].gpus = 2;
  return ledger;
}

TEST(Sustained, CallsThatRunOutSideBySideAreNoSlowdown) {
  constexpr int64_t kSideBySide = 8;
  LedgerContent ledger = ten_minutes(0);
  ledger.calls.clear();
  ledger.meta.calls.clear();
  ledger.meta.legs[0].concurrency = kSideBySide;
  // Calls of 60 s, each worker begins at another time; nobody asks any more after ten minutes.
  for (int64_t worker = 0; worker < kSideBySide; ++worker) {
    for (double at_ms = 7'000.0 * static_cast<double>(worker); at_ms < 600'000; at_ms += 60'000) {
      CallRecord call = synthetic::ok_call(at_ms, {.ttft_ms = 1000, .gap_ms = 1000, .tokens = 60});
      call.cell_id = kCell;
      call.prompt_id = "tg64";
      call.index = call.run_idx = std::ssize(ledger.calls);
      ledger.meta.calls.push_back({0, call.run_idx, 0, 0});
      ledger.calls.push_back(std::move(call));
    }
  }
  ledger.meta.legs[0].calls = std::ssize(ledger.calls);
  const LegResult leg = group_legs(ledger).legs[0];
  ASSERT_TRUE(leg.sustained && leg.sustained->ratio);
  EXPECT_GT(*leg.sustained->ratio, 1) << "the first minute begins with fewer at work";
}

TEST(Sustained, TheLastMinuteAgainstTheFirst) {
  const LegResult leg = group_legs(ten_minutes(0.25)).legs[0];
  ASSERT_TRUE(leg.sustained);
  const Sustained& s = *leg.sustained;
  EXPECT_EQ(s.missing, "");
  EXPECT_NEAR(s.seconds, 600, 3);
  EXPECT_DOUBLE_EQ(s.window_s, 60);
  EXPECT_NEAR(*s.first.tps, 50 / 1.0125, 1.5);
  EXPECT_NEAR(*s.ratio, 1.0125 / 1.2375, 0.03);
  ASSERT_TRUE(s.ratio_ci95);
  EXPECT_LT(s.ratio_ci95->low, *s.ratio);
  EXPECT_LT(s.ratio_ci95->high, 1);
  EXPECT_THAT(sustained_text(s), HasSubstr("tok/s in the first minute"));
}

TEST(Sustained, EachDeviceTellsAndTheOneThatFellMostComesFirst) {
  const Sustained s = *group_legs(ten_minutes(0.25)).legs[0].sustained;
  ASSERT_EQ(s.devices.size(), 3U);
  const DeviceCourse& card = s.devices[0];
  EXPECT_EQ(card.device, "GPU 0");
  EXPECT_NEAR(*card.mhz_before, 1900, 0.1);
  EXPECT_NEAR(*card.mhz_after, 1300, 0.1);
  EXPECT_NEAR(*card.temperature_after_c, 84, 0.1);
  const DeviceCourse& processor = s.devices[1];
  EXPECT_EQ(processor.device, "CPU");
  EXPECT_NEAR(*processor.temperature_before_c, 61, 0.5);
  EXPECT_NEAR(*processor.temperature_after_c, 79, 0.5);
  EXPECT_NEAR(*processor.mhz_after, 3030, 5);
  EXPECT_EQ(s.devices[2].device, "GPU 1");
  EXPECT_FALSE(s.devices[2].temperature_before_c);
  EXPECT_THAT(sustained_text(s),
              HasSubstr("; GPU 0 60 to 84 °C, 1,900 to 1,300 MHz; CPU 61 to 79 °C, 3,5"));
}

TEST(Sustained, MarksFollowItsSentence) {
  const auto notes = sustained_notes(make_report_model(ten_minutes(0.25)));
  ASSERT_EQ(notes.size(), 1U);
  EXPECT_THAT(notes[0], EndsWith(" ! clock_fell"));
}

TEST(Sustained, AnEngineThatStaysAsItIsHasOneInItsInterval) {
  const Sustained s = *group_legs(ten_minutes(0)).legs[0].sustained;
  EXPECT_NEAR(*s.ratio, 1, 0.02);
  ASSERT_TRUE(s.ratio_ci95);
  EXPECT_LE(s.ratio_ci95->low, 1.0);
  EXPECT_GE(s.ratio_ci95->high, 1.0);
}

TEST(Sustained, WhatIsMissingIsSaid) {
  LedgerContent resumed = ten_minutes(0);
  resumed.resumes = 1;
  EXPECT_EQ(group_legs(resumed).legs[0].sustained->missing, "resumed");
  LedgerContent uncounted = ten_minutes(0);
  uncounted.calls[3].completion_tokens.reset();
  EXPECT_EQ(group_legs(uncounted).legs[0].sustained->missing, "no_token_count");
  LedgerContent usual = ten_minutes(0);
  usual.meta.legs[0].sustain_s.reset();
  EXPECT_FALSE(group_legs(usual).legs[0].sustained);
}

TEST(Sustained, ReportsHaveItAndTheDriftsEvidence) {
  const ReportModel model = make_report_model(ten_minutes(0.25));
  EXPECT_THAT(render_console(model, {}), HasSubstr("sustained over 10.0 min"));
  EXPECT_THAT(render_json(model, {}), HasSubstr("\"ratio_ci95\""));
  EXPECT_THAT(render_html(model, {}), HasSubstr("sustained over 10.0 min"));
  ASSERT_FALSE(model.unreliable.empty());
  std::string drifting;
  for (const Caveat& caveat : model.unreliable) {
    if (caveat.code == "drifting") drifting = caveat.detail;
  }
  EXPECT_THAT(
      drifting,
      HasSubstr("meanwhile the GPU 0 went from 1900 to 1300 MHz and from 60 to 84 °C, the CPU "
                "from 3"));
  EXPECT_THAT(drifting, HasSubstr("°C"));
}

}  // namespace
}  // namespace assay
