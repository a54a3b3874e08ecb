#include <gtest/gtest.h>

#include <algorithm>
#include <string>

#include "reports/builtin.h"
#include "reports/report_model.h"
#include "sample_runs.h"

namespace assay {
namespace {

ReportModel built(const LedgerContent& ledger, Keep keep, bool meta_first = true) {
  ReportModelBuilder builder(keep);
  if (meta_first) builder.set_meta(ledger.meta);
  for (CallRecord record : ledger.calls) builder.add(std::move(record));
  LedgerContent rest = ledger;
  rest.calls.clear();
  return builder.finish(std::move(rest));
}

/// More calls than a sample holds, every hundredth of them failed.
LedgerContent large_run() {
  synthetic::Builder b("prompt");
  const int64_t leg = b.leg(b.cell("model"), b.prompt("P-EASY"));
  const CallRecord ok = synthetic::ok_call(0, {.tokens = 20});
  const CallRecord failed = synthetic::failed_call(0, "no answer");
  for (size_t i = 0; i <= kMaxKeptCalls; ++i) b.add(leg, i % 100 == 99 ? failed : ok);
  return b.ledger;
}

TEST(ReportModelBuilder, SaysTheSameAsOfALedgerThatIsHeldAsAWhole) {
  for (const LedgerContent& ledger :
       {synthetic::prompt_run(), synthetic::speed_run(), synthetic::cells_run()}) {
    const std::string whole = render_html(make_report_model(ledger), {});
    EXPECT_EQ(render_html(built(ledger, Keep::kSample), {}), whole);
    EXPECT_EQ(render_html(built(ledger, Keep::kAll, false), {}), whole) << "meta came last";
  }
}

/// Two legs whose calls take turns, directly and by a router, as an open loop, on a server that
/// counts; calls that follow the other leg are slower. Every check has something to say.
LedgerContent checked_run(int64_t rounds) {
  synthetic::Builder b("baseline");
  const int64_t direct = b.cell("m");
  const int64_t routed = b.cell("routed");
  b.ledger.meta.cells[1].routed_from = b.ledger.meta.cells[0].id;
  b.ledger.meta.cells[0].url = "http://h:1";
  b.ledger.meta.instrument.calibration = Calibration{.events_per_sec = 1};
  const int64_t prompt = b.prompt("p");
  const int64_t first = b.leg(direct, prompt, Phase::kWarm);
  const int64_t second = b.leg(routed, prompt, Phase::kWarm);
  const int64_t loop = b.leg(direct, b.prompt("loop"));
  const int64_t salted = b.leg(direct, b.prompt("salted", 20));
  b.ledger.meta.legs[static_cast<size_t>(loop)].request_rate = 5;
  b.ledger.meta.prompts.back().salt = Prompt::Salt::kPerCall;
  b.add(loop, synthetic::ok_call(0, {}));
  for (int64_t i = 0; i < rounds; ++i) {
    const double noise = 0.1 * static_cast<double>(i % 3);
    for (const int64_t leg : {i % 2 == 0 ? first : second, first, second}) {
      const bool follows = leg == second && b.ledger.calls.back().leg == first;
      b.add(leg, synthetic::ok_call(b.now_ms, {.gap_ms = 20 + noise + (follows ? 5 : 0)}));
      b.now_ms += 1000;
    }
    b.add(loop, synthetic::ok_call(b.now_ms, {.ttft_ms = 100 + static_cast<double>(i)}));
    b.add(salted, synthetic::ok_call(b.now_ms, {.prompt_tokens = 200, .cached = 190}));
    if (i % 7 == 0) b.add(loop, synthetic::failed_call(b.now_ms, "gone"));
  }
  b.ledger.end->in_flight_s = 5;
  b.ledger.end->server_counters = {{"http://h:1", std::nullopt, 100'000'000}};
  return b.ledger;
}

/// A report without its notes, which say what is kept.
std::string figures_of(ReportModel model) {
  model.notes.clear();
  return render_json(model, {}) + render_markdown(model, {}) + render_v1_baseline(model, {});
}

TEST(ReportModelBuilder, EveryCheckSaysTheSameOfRecordsThatAreDropped) {
  const LedgerContent ledger = checked_run(static_cast<int64_t>(kMaxKeptCalls) / 5);
  ASSERT_GT(ledger.calls.size(), kMaxKeptCalls);
  const ReportModel all = built(ledger, Keep::kAll);
  const ReportModel some = built(ledger, Keep::kSample);
  EXPECT_LT(some.calls.size(), 1000U);
  EXPECT_EQ(figures_of(some), figures_of(all));
  const auto caveat = [&](std::string_view code) {
    return std::any_of(some.unreliable.begin(), some.unreliable.end(),
                       [&](const Caveat& c) { return c.code == code; });
  };
  for (const std::string_view code : {"void", "order_effect", "client_limited", "in_flight_differs",
                                      "arrivals_rate", "saturated"}) {
    EXPECT_TRUE(caveat(code)) << code;
  }
  EXPECT_FALSE(some.routing.empty());
  EXPECT_TRUE(some.measurement.arrivals);
}

TEST(ReportModelBuilder, OfALargeRunKeepsSomeCallsAndAllFigures) {
  const LedgerContent ledger = large_run();
  const ReportModel all = built(ledger, Keep::kAll);
  const ReportModel some = built(ledger, Keep::kSample);
  EXPECT_EQ(all.calls.size(), ledger.calls.size());
  EXPECT_EQ(some.calls.size(), static_cast<size_t>(2 * kKeptOfLeg)) << "answered and failed ones";
  EXPECT_EQ(some.left_out, std::ssize(ledger.calls) - 2 * kKeptOfLeg);
  ASSERT_EQ(some.legs.size(), 1U);
  EXPECT_EQ(some.legs[0].n, std::ssize(ledger.calls));
  EXPECT_EQ(some.legs[0].failed, all.legs[0].failed);
  EXPECT_EQ(some.legs[0].find("ttft_ms")->summary.mean, all.legs[0].find("ttft_ms")->summary.mean);
  EXPECT_NE(render_console(some, {}).find("records are in the figures only"), std::string::npos);
  const std::string page = render_html(some, {});
  EXPECT_NE(page.find("of 20,001 calls drawn"), std::string::npos);
  EXPECT_NE(page.find("<td>200</td>"), std::string::npos) << "troubles count every call";
}

TEST(ReportModelBuilder, EachLegOfALargeRunKeepsItsFirstCalls) {
  constexpr int64_t kLegs = 210;
  synthetic::Builder b("prompt");
  const int64_t cell = b.cell("model");
  const CallRecord ok = synthetic::ok_call(0, {.tokens = 4});
  for (int64_t i = 0; i < kLegs; ++i) {
    const int64_t leg = b.leg(cell, b.prompt("p" + std::to_string(i)));
    for (int64_t call = 0; call < kKeptOfLeg + 1; ++call) b.add(leg, ok);
  }
  ASSERT_GT(b.ledger.calls.size(), kMaxKeptCalls);
  const ReportModel some = built(b.ledger, Keep::kSample);
  const auto each = static_cast<int64_t>(kMaxKeptCalls) / kLegs;  // Less than kKeptOfLeg.
  EXPECT_EQ(some.left_out, kLegs * (kKeptOfLeg + 1 - each));
  EXPECT_EQ(std::ssize(some.calls), kLegs * each);
  EXPECT_EQ(some.calls.back().leg, kLegs - 1);
}

}  // namespace
}  // namespace assay
