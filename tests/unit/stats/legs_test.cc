#include "stats/legs.h"

#include <gtest/gtest.h>

#include "synthetic.h"

namespace assay {
namespace {

using synthetic::Builder;
using synthetic::CallShape;
using synthetic::failed_call;
using synthetic::ok_call;
using synthetic::skipped_call;

Builder one_leg() {
  Builder b("prompt");
  b.leg(b.cell("m"), b.prompt("p"));
  return b;
}

TEST(GroupLegs, SplitsByPrefixAndNeverPools) {
  Builder b = one_leg();
  b.add_ok(0, 1, {.ttft_ms = 500, .cached = 0}, 0);
  b.add_ok(0, 3, {.ttft_ms = 50, .cached = 18}, 0);
  b.add(0, failed_call(9000, "gone"));
  const auto legs = group_legs(b.ledger).legs;
  ASSERT_EQ(legs.size(), 2U);
  EXPECT_EQ(legs[0].prefix, Prefix::kFresh);
  EXPECT_EQ(legs[0].n, 1);
  EXPECT_EQ(legs[0].failed, 0);
  EXPECT_DOUBLE_EQ(*legs[0].find("ttft_ms")->summary.mean, 500);
  EXPECT_EQ(legs[1].prefix, Prefix::kReused);
  EXPECT_EQ(legs[1].n, 4);
  EXPECT_EQ(legs[1].ok, 3);
  EXPECT_EQ(legs[1].failed, 1);
  EXPECT_DOUBLE_EQ(*legs[1].find("ttft_ms")->summary.mean, 50);
  EXPECT_FALSE(legs[0].requests_per_sec);
  EXPECT_TRUE(legs[1].requests_per_sec);
}

TEST(GroupLegs, FailedCallsEnterNoFigure) {
  Builder b = one_leg();
  b.add_ok(0, 2, {.ttft_ms = 100}, 0);
  CallRecord cut = ok_call(5000, {.ttft_ms = 9000});
  cut.outcome = Outcome::kTimeout;
  b.add(0, cut);
  const auto legs = group_legs(b.ledger).legs;
  ASSERT_EQ(legs.size(), 1U);
  EXPECT_EQ(legs[0].failed, 1);
  for (const MetricResult& result : legs[0].metrics) {
    EXPECT_LE(result.values.size(), 2U) << result.metric->name;
  }
  EXPECT_DOUBLE_EQ(*legs[0].find("ttft_ms")->summary.max, 100);
}

TEST(GroupLegs, AllFailedIsOnePartWithoutFigures) {
  Builder b = one_leg();
  b.add(0, failed_call(0, "b"));
  b.add(0, failed_call(1, "a"));
  b.add(0, failed_call(2, "b"));
  b.add(0, skipped_call("budget"));
  const auto legs = group_legs(b.ledger).legs;
  ASSERT_EQ(legs.size(), 1U);
  EXPECT_EQ(legs[0].prefix, Prefix::kUnknown);
  EXPECT_EQ(legs[0].n, 4);
  EXPECT_EQ(legs[0].ok, 0);
  EXPECT_EQ(legs[0].failure, "b");
  EXPECT_EQ(legs[0].failure_calls, 2);
  EXPECT_EQ(legs[0].skipped_reason, "budget");
  EXPECT_TRUE(legs[0].metrics.empty());
  EXPECT_FALSE(legs[0].aggregate_tps);
  EXPECT_FALSE(legs[0].prompt_tokens);
}

TEST(GroupLegs, CountsAttemptsAndTakesTheFirstFinalRecord) {
  Builder b = one_leg();
  CallRecord& first = b.add(0, failed_call(0, "retry"));
  first.final = false;
  CallRecord again = ok_call(100, {.ttft_ms = 70});
  again.attempt = 2;
  again.index = first.index;
  again.leg = 0;
  again.cell_id = first.cell_id;
  again.prompt_id = first.prompt_id;
  b.ledger.calls.push_back(again);
  again.at.first_text = *again.at.sent + 1'000'000;
  b.ledger.calls.push_back(again);  // A second final record of the same call.
  const auto legs = group_legs(b.ledger).legs;
  ASSERT_EQ(legs.size(), 1U);
  EXPECT_EQ(legs[0].n, 1);
  EXPECT_EQ(legs[0].attempts, 2);
  EXPECT_DOUBLE_EQ(*legs[0].find("ttft_ms")->summary.mean, 70);
}

TEST(GroupLegs, WarmUpIsCountedAndExcluded) {
  Builder b("prompt");
  const int64_t cell = b.cell("m");
  const int64_t prompt = b.prompt("p");
  const int64_t warmup = b.leg(cell, prompt, Phase::kWarmup);
  const int64_t warm = b.leg(cell, prompt, Phase::kWarm);
  b.add_ok(warmup, 1, {.ttft_ms = 9000});
  b.add(warmup, failed_call(0, "x"));
  b.add_ok(warm, 2, {.ttft_ms = 100});
  const RunLegs run = group_legs(b.ledger);
  EXPECT_EQ(run.warmup.n, 2);
  EXPECT_EQ(run.warmup.ok, 1);
  EXPECT_EQ(run.warmup.failed, 1);
  ASSERT_EQ(run.legs.size(), 1U);
  EXPECT_EQ(run.legs[0].phase, Phase::kWarm);
}

TEST(GroupLegs, FlagsAreCountedWithinOk) {
  Builder b = one_leg();
  CallRecord cut = ok_call(0, {});
  cut.flags = {"length"};
  b.add(0, cut);
  CallRecord empty = ok_call(0, {});
  empty.flags = {"empty"};
  b.add(0, empty);
  const auto legs = group_legs(b.ledger).legs;
  EXPECT_EQ(legs[0].ok, 2);
  EXPECT_EQ(legs[0].length, 1);
  EXPECT_EQ(legs[0].empty, 1);
}

TEST(GroupLegs, ThroughputRunsFromTheFirstDueToTheLastDone) {
  Builder b = one_leg();
  b.add(0, ok_call(0, {.ttft_ms = 100, .gap_ms = 10, .tokens = 100}));
  b.add(0, ok_call(2000 - 0.2, {.ttft_ms = 1010, .gap_ms = 10, .tokens = 100}));
  const auto legs = group_legs(b.ledger).legs;
  EXPECT_NEAR(*legs[0].aggregate_tps, 50, 1e-9);  // 200 tokens in 4 s.
  EXPECT_NEAR(*legs[0].requests_per_sec, 0.5, 1e-9);
  b.ledger.calls[0].completion_tokens.reset();
  EXPECT_FALSE(group_legs(b.ledger).legs[0].aggregate_tps);
}

TEST(GroupLegs, DecodeMeanIsTheRatioOfSumsAndTokensPerSecArithmetic) {
  Builder b = one_leg();
  b.add(0, ok_call(0, {.ttft_ms = 100, .gap_ms = 10, .tokens = 101}));     // 100 in 1 s
  b.add(0, ok_call(3000, {.ttft_ms = 100, .gap_ms = 40, .tokens = 101}));  // 100 in 4 s
  const auto legs = group_legs(b.ledger).legs;
  EXPECT_DOUBLE_EQ(*legs[0].find("decode_tps")->summary.mean, 40);
  const MetricResult& simple = *legs[0].find("tokens_per_sec");
  EXPECT_DOUBLE_EQ(*simple.summary.mean, (simple.values[0] + simple.values[1]) / 2);
}

TEST(GroupLegs, AMetricWithoutValuesIsLeftOut) {
  Builder b = one_leg();
  b.add(0, ok_call(0, {.tokens = 1}));
  const auto legs = group_legs(b.ledger).legs;
  EXPECT_EQ(legs[0].find("decode_tps"), nullptr);
  EXPECT_EQ(legs[0].find("icl_ms"), nullptr);
  EXPECT_EQ(legs[0].find("tokens_per_sec"), nullptr);
  EXPECT_NE(legs[0].find("ttft_ms"), nullptr);
}

TEST(GroupLegs, ManyCoalescedEventsWithholdTheTailOfTheGaps) {
  Builder b = one_leg();
  CallRecord r = ok_call(0, {.tokens = 10});
  r.tokens.clear();
  for (int i = 0; i < 10; ++i) synthetic::append_event(r.tokens, 20'000, 4, i == 5);
  b.add(0, r);
  const Summary icl = group_legs(b.ledger).legs[0].find("icl_ms")->summary;
  EXPECT_EQ(icl.n, 7);
  EXPECT_TRUE(icl.p95);
  EXPECT_FALSE(icl.p99);
}

TEST(GroupLegs, WithoutAPlanCallsGroupByWhatTheySay) {
  LedgerContent foreign;
  for (const char* prompt : {"P-EASY", "P-HARD", "P-EASY"}) {
    CallRecord r;
    r.cell_id = "mac:ollama:m";
    r.prompt_id = prompt;
    r.phase = Phase::kWarm;
    r.run_idx = static_cast<int64_t>(foreign.calls.size());
    r.outcome = Outcome::kOk;
    r.total_duration_ms = 500;
    foreign.calls.push_back(r);
  }
  const auto legs = group_legs(foreign).legs;
  ASSERT_EQ(legs.size(), 2U);
  EXPECT_EQ(legs[0].prompt_id, "P-EASY");
  EXPECT_EQ(legs[0].ok, 2);
  EXPECT_EQ(legs[0].leg, -1);
  EXPECT_DOUBLE_EQ(*legs[1].find("e2e_ms")->summary.mean, 500);
}

TEST(GroupLegs, ASkippedCellsRecordStandsWithItsPlannedLeg) {
  Builder b = one_leg();
  b.add(0, skipped_call("connection refused")).phase = Phase::kSkipped;
  const auto legs = group_legs(b.ledger).legs;
  ASSERT_EQ(legs.size(), 1U);
  EXPECT_EQ(legs[0].phase, Phase::kMeasure);
  EXPECT_EQ(legs[0].skipped, 1);
  EXPECT_EQ(legs[0].skipped_reason, "connection refused");
}

TEST(GroupLegs, APlannedLegWithoutRecordsIsThere) {
  const Builder b = one_leg();
  const auto legs = group_legs(b.ledger).legs;
  ASSERT_EQ(legs.size(), 1U);
  EXPECT_EQ(legs[0].n, 0);
  EXPECT_EQ(legs[0].cell_id, "local:llamacpp:m");
}

TEST(FitPrefill, IsTheSlopeOverThreeFreshLengths) {
  Builder b("speed");
  const int64_t cell = b.cell("m");
  for (const int64_t length : {20, 512, 4096}) {
    const int64_t leg = b.leg(cell, b.prompt("p" + std::to_string(length), length));
    const double ttft = 30 + static_cast<double>(length) / 2;  // 2000 tok/s over a floor of 30 ms.
    b.add_ok(leg, 3, {.ttft_ms = ttft, .prompt_tokens = length, .cached = 0}, 0);
    b.add_ok(leg, 2, {.ttft_ms = 5, .prompt_tokens = length, .cached = length - 1}, 0);
  }
  auto legs = group_legs(b.ledger).legs;
  const PrefillFit fit = fit_prefill(legs, "local:llamacpp:m", PrefillTime::kClient);
  EXPECT_EQ(fit.lengths, 3);
  EXPECT_NEAR(*fit.tps, 2000, 1e-6);
  EXPECT_NEAR(*fit.floor_ms, 30, 1e-6);
  EXPECT_NEAR(*fit_prefill(legs, "local:llamacpp:m", PrefillTime::kEngine).tps, 2000, 1e-6);
  legs.resize(4);
  const PrefillFit two = fit_prefill(legs, "local:llamacpp:m", PrefillTime::kClient);
  EXPECT_EQ(two.lengths, 2);
  EXPECT_FALSE(two.tps);
  EXPECT_FALSE(two.floor_ms);
}

TEST(FitPrefill, HasNoSpeedWhereTheTimeHardlyGrows) {
  Builder b("speed");
  const int64_t cell = b.cell("m");
  for (const int64_t length : {20, 512, 4096}) {
    const double ttft = 30 + static_cast<double>(length) * 1e-6;
    b.add_ok(b.leg(cell, b.prompt("p" + std::to_string(length), length)), 3,
             {.ttft_ms = ttft, .prompt_tokens = length, .cached = 0}, 0);
  }
  const auto legs = group_legs(b.ledger).legs;
  EXPECT_FALSE(fit_prefill(legs, "local:llamacpp:m", PrefillTime::kClient).tps);
}

}  // namespace
}  // namespace assay
