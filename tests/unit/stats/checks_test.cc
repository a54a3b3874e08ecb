#include "stats/checks.h"

#include <gtest/gtest.h>

#include "stats/caveats.h"
#include "stats/legs.h"
#include "synthetic.h"

namespace assay {
namespace {

using synthetic::Builder;
using synthetic::failed_call;

Builder good_run() {
  Builder b("prompt");
  b.leg(b.cell("m"), b.prompt("p"));
  b.add_ok(0, 6, {.tokens = 200});
  return b;
}

const Check& check(const Measurement& m, std::string_view name) {
  for (const Check& c : m.checks) {
    if (c.name == name) return c;
  }
  ADD_FAILURE() << "no check " << name;
  return m.checks.front();
}

Measurement check_measurement(const LedgerContent& ledger) {
  RunChecks checks(ledger.meta);
  for (const CallRecord& record : ledger.calls) checks.add(record);
  return checks.measurement(ledger);
}

std::vector<std::string> codes(const LedgerContent& ledger) {
  std::vector<std::string> found;
  const auto legs = group_legs(ledger).legs;
  RunChecks checks(ledger.meta);
  for (const CallRecord& record : ledger.calls) checks.add(record);
  for (const Caveat& caveat :
       find_caveats(ledger, checks.counts(), checks.measurement(ledger), legs)) {
    found.emplace_back(caveat.code);
  }
  return found;
}

using Codes = std::vector<std::string>;

TEST(CheckMeasurement, AGoodRunIsOk) {
  const Builder b = good_run();
  const Measurement m = check_measurement(b.ledger);
  EXPECT_TRUE(m.ok);
  EXPECT_EQ(m.stamps, StampSource::kKernel);
  EXPECT_DOUBLE_EQ(*m.client_lag_ms_p99, 0.04);
  EXPECT_DOUBLE_EQ(*m.loop_lag_ms_p99, 0.2);
  EXPECT_DOUBLE_EQ(*m.coalesced_share, 0);
  EXPECT_NEAR(*m.engine_difference, 199.0 / 200 - 1, 1e-6);
  EXPECT_EQ(m.checks.size(), 11U);
  EXPECT_TRUE(codes(b.ledger).empty());
}

TEST(CheckMeasurement, HoldsTheRecordsAgainstTheLoopsOwnAccount) {
  Builder b = good_run();
  double seconds = 0;
  for (const CallRecord& r : b.ledger.calls) {
    seconds += static_cast<double>(*r.at.done - *r.at.start) / 1e9;
  }
  ASSERT_GT(seconds, 1);
  b.ledger.end->in_flight_s = seconds * 1.01;
  EXPECT_TRUE(check(check_measurement(b.ledger), "littles_law").ok);
  b.ledger.end->in_flight_s = seconds * 1.2;  // As if a call in six had left no record.
  EXPECT_FALSE(check(check_measurement(b.ledger), "littles_law").ok);
  EXPECT_EQ(codes(b.ledger), Codes{"in_flight_differs"});
}

TEST(CheckMeasurement, SeesThatSomebodyElseUsesTheServer) {
  Builder b = good_run();
  b.ledger.meta.cells[0].url = "http://h:1";
  int64_t ours = 0;
  for (const CallRecord& r : b.ledger.calls) ours += *r.completion_tokens;
  b.ledger.end->server_counters = {{"http://h:1", std::nullopt, ours}};
  EXPECT_TRUE(check(check_measurement(b.ledger), "server_tokens").ok);
  b.ledger.end->server_counters[0].output_tokens = ours * 3 / 2;
  EXPECT_FALSE(check(check_measurement(b.ledger), "server_tokens").ok);
  EXPECT_EQ(codes(b.ledger), Codes{"server_shared"});
  b.ledger.resumes = 1;  // The counts are of one session only.
  EXPECT_FALSE(check(check_measurement(b.ledger), "server_tokens").value);
}

TEST(CheckMeasurement, AuditsTheArrivalsOfAnOpenLoop) {
  Builder b("prompt");
  b.add_ok(b.leg(b.cell("m"), b.prompt("p")), 12, {});
  b.ledger.meta.legs[0].request_rate = 1;
  const auto set_arrivals = [&](int64_t late_ns) {
    int64_t due = 0;
    for (CallRecord& r : b.ledger.calls) {
      r.at.due = due;
      r.at.sent = due + late_ns;
      due += 1'000'000'000;
    }
    return check_measurement(b.ledger);
  };
  const Measurement good = set_arrivals(100'000);
  ASSERT_TRUE(good.arrivals);
  EXPECT_TRUE(check(good, "arrivals_late").ok);
  EXPECT_TRUE(check(good, "arrivals_rate").ok);
  EXPECT_FALSE(check(set_arrivals(30'000'000), "arrivals_late").ok);
  b.ledger.meta.legs[0].request_rate = 2;  // Half of what was asked came.
  EXPECT_FALSE(check(set_arrivals(0), "arrivals_rate").ok);
}

TEST(CheckMeasurement, LateReadsCountWhereTheKernelDidNotStamp) {
  Builder b = good_run();
  for (CallRecord& r : b.ledger.calls) r.client_lag_p99_us = 5000;
  EXPECT_TRUE(check_measurement(b.ledger).ok);
  EXPECT_DOUBLE_EQ(*check_measurement(b.ledger).client_lag_ms_p99, 5);
  b.ledger.calls[0].stamps = StampSource::kMixed;
  const Measurement m = check_measurement(b.ledger);
  EXPECT_EQ(m.stamps, StampSource::kMixed);
  EXPECT_FALSE(check(m, "client_lag").ok);
  EXPECT_EQ(codes(b.ledger), (Codes{"client_lag"}));
}

TEST(CheckMeasurement, LoopLagInformsUnlessStampsAreReads) {
  Builder b = good_run();
  b.ledger.end->loop_lag_p99_ms = 9;
  EXPECT_TRUE(check_measurement(b.ledger).ok);
  for (CallRecord& r : b.ledger.calls) {
    r.stamps = StampSource::kRead;
    r.client_lag_p99_us.reset();
  }
  EXPECT_EQ(codes(b.ledger), (Codes{"loop_lag"}));
}

TEST(CheckMeasurement, CoalescedShareHasALimit) {
  Builder b = good_run();
  for (CallRecord& r : b.ledger.calls) r.client_coalesced = 10;  // Of 200: exactly the limit.
  EXPECT_TRUE(check_measurement(b.ledger).ok);
  b.ledger.calls[0].client_coalesced = 11;
  EXPECT_FALSE(check(check_measurement(b.ledger), "coalesced_share").ok);
  EXPECT_EQ(codes(b.ledger), (Codes{"coalesced"}));
}

TEST(CheckMeasurement, FindsInstantsThatCannotBe) {
  Builder b = good_run();
  b.ledger.calls[0].at.first_byte = *b.ledger.calls[0].at.sent - 9'000;  // Within the stamp error.
  EXPECT_TRUE(check_measurement(b.ledger).ok);
  b.ledger.calls[0].at.first_byte = *b.ledger.calls[0].at.sent - 11'000;
  b.ledger.calls[1].min_rtt_us = 1'000'000;
  const Measurement m = check_measurement(b.ledger);
  EXPECT_DOUBLE_EQ(*check(m, "monotone_instants").value, 1);
  EXPECT_DOUBLE_EQ(*check(m, "ttft_above_rtt").value, 1);
  EXPECT_EQ(codes(b.ledger), (Codes{"impossible_instants"}));
}

TEST(CheckMeasurement, ComparesWithTheEngine) {
  Builder b = good_run();
  for (CallRecord& r : b.ledger.calls) *r.engine.decode_ms *= 1.2;
  EXPECT_FALSE(check(check_measurement(b.ledger), "engine_decode_agreement").ok);
  EXPECT_EQ(codes(b.ledger), (Codes{"engine_disagrees"}));
  for (CallRecord& r : b.ledger.calls) r.engine = {};
  EXPECT_TRUE(check_measurement(b.ledger).ok);
  EXPECT_FALSE(check(check_measurement(b.ledger), "engine_decode_agreement").value);
}

TEST(CheckMeasurement, AllowsOneTokenBetweenUsageAndEngine) {
  Builder b = good_run();
  *b.ledger.calls[0].engine.output_tokens += 1;
  EXPECT_TRUE(check_measurement(b.ledger).ok);
  *b.ledger.calls[0].engine.output_tokens += 1;
  EXPECT_EQ(codes(b.ledger), (Codes{"token_counts_disagree"}));
}

TEST(CheckMeasurement, WarmUpIsNotJudged) {
  Builder b = good_run();
  const int64_t warmup = b.leg(0, 0, Phase::kWarmup);
  b.add_ok(warmup, 1, {});
  b.ledger.calls.back().flags = {"clock_jump"};
  EXPECT_TRUE(check_measurement(b.ledger).ok);
  b.ledger.calls.front().flags = {"clock_jump"};
  EXPECT_EQ(codes(b.ledger), (Codes{"clock_jump"}));
}

TEST(Caveats, NameWhatIsWrongWithTheTokens) {
  Builder b = good_run();
  b.ledger.calls[0].flags = {"estimated_tokens", "prompt_truncated", "context_short"};
  b.ledger.calls[1].completion_tokens.reset();
  EXPECT_EQ(codes(b.ledger),
            (Codes{"estimated_tokens", "no_token_count", "prompt_truncated", "context_short"}));
}

TEST(Caveats, ACellWithLessContextThanAskedIsShort) {
  Builder b = good_run();
  b.ledger.meta.legs[0].settings.context_length = 8192;
  EXPECT_TRUE(codes(b.ledger).empty());
  b.ledger.meta.cells[0].context_length = 4096;
  EXPECT_EQ(codes(b.ledger), (Codes{"context_short"}));
}

TEST(Caveats, FewCallsAreThoseOfAWholePlannedLeg) {
  Builder b("prompt");
  b.leg(b.cell("m"), b.prompt("p"));
  b.add_ok(0, 1, {.tokens = 200, .cached = 0});
  b.add_ok(0, 1, {.tokens = 200, .cached = 9});
  EXPECT_EQ(codes(b.ledger), (Codes{"few_calls"}));
  b.add_ok(0, 1, {.tokens = 200, .cached = 9});
  EXPECT_TRUE(codes(b.ledger).empty());
}

TEST(Caveats, AnUnfinishedLedgerIsInterrupted) {
  Builder b = good_run();
  b.ledger.end.reset();
  b.ledger.torn_lines = 1;
  EXPECT_EQ(codes(b.ledger), (Codes{"interrupted", "torn_ledger"}));
  b = good_run();
  b.ledger.calls.pop_back();
  EXPECT_EQ(codes(b.ledger), (Codes{"interrupted"}));
}

TEST(Caveats, ASuccessRateBelow095IsARedFlag) {
  Builder b = good_run();
  b.add_ok(0, 13, {.tokens = 200});
  b.add(0, failed_call(99'000, "gone"));  // 19 of 20: 0.95 itself is not below.
  EXPECT_TRUE(codes(b.ledger).empty());
  b.add(0, failed_call(99'100, "gone"));
  EXPECT_EQ(codes(b.ledger), (Codes{"failed_calls"}));
}

}  // namespace
}  // namespace assay
