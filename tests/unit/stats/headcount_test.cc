#include "stats/headcount.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <cmath>

#include "machine_samples.h"
#include "reports/headcount_table.h"
#include "synthetic.h"

namespace assay {
namespace {

using synthetic::Builder;
using ::testing::HasSubstr;

struct Level {
  int64_t concurrency;
  int64_t good;
  int64_t slow;
  int64_t failed = 0;
};

/// A run whose good calls have text after 100 ms and 50 tok/s, and whose slow ones after 3 s.
LedgerContent levels_run(const std::vector<Level>& levels,
                         const std::string& goodput = "ttft:2s,tps:10") {
  Builder b("prompt");
  b.ledger.meta.options_json = R"({"goodput":")" + goodput + R"(","max-concurrency":"1,2,4,8"})";
  const int64_t cell = b.cell("m");
  const int64_t prompt = b.prompt("P");
  for (const Level& level : levels) {
    const int64_t leg = b.leg(cell, prompt);
    b.ledger.meta.legs[static_cast<size_t>(leg)].concurrency = level.concurrency;
    b.add_ok(leg, level.good, {.ttft_ms = 100, .gap_ms = 20});
    if (level.slow > 0) b.add_ok(leg, level.slow, {.ttft_ms = 3000, .gap_ms = 20});
    for (int64_t i = 0; i < level.failed; ++i) {
      b.add(leg, synthetic::failed_call(b.now_ms, "http 500"));
    }
  }
  return b.ledger;
}

const Headcount& headcount_of(const ReportModel& model) { return model.goodput.cells.at(0); }

TEST(Headcount, IsTheHighestLevelThatIsShownToHold) {
  const ReportModel model =
      make_report_model(levels_run({{1, 29, 0}, {2, 40, 0}, {4, 60, 1}, {8, 10, 20}}));
  const Headcount& headcount = headcount_of(model);
  ASSERT_EQ(headcount.levels.size(), 4U);
  EXPECT_TRUE(headcount.levels[2].passes);
  EXPECT_TRUE(headcount.levels[3].misses);
  EXPECT_EQ(headcount.users, 4);
  EXPECT_THAT(headcount_texts(model).at(0), HasSubstr("at least 4 users at once"));
  EXPECT_THAT(headcount_texts(model).at(0), HasSubstr("at 8 at once 10 of 30 calls held it"));
}

TEST(Headcount, TooFewCallsShowNothing) {
  const ReportModel model = make_report_model(levels_run({{1, 10, 0}}));
  EXPECT_FALSE(headcount_of(model).users);
  EXPECT_FALSE(headcount_of(model).levels[0].misses);
  EXPECT_THAT(headcount_texts(model).at(0), HasSubstr("29 would be needed"));
}

TEST(Headcount, ALevelAboveOneThatIsOpenDoesNotCount) {
  const ReportModel model = make_report_model(levels_run({{1, 29, 0}, {2, 8, 0}, {4, 60, 0}}));
  EXPECT_TRUE(headcount_of(model).levels[2].passes);
  EXPECT_EQ(headcount_of(model).users, 1);
}

TEST(Headcount, ALevelWhoseAnswersAreTooShortDoesNotCount) {
  LedgerContent ledger = levels_run({{1, 29, 0}, {2, 60, 0}});
  Leg& leg = ledger.meta.legs[1];
  leg.settings.max_tokens = 10'000;
  leg.settings.fixed_length = true;
  const ReportModel model = make_report_model(ledger);
  EXPECT_TRUE(headcount_of(model).levels[1].passes);
  EXPECT_TRUE(headcount_of(model).levels[1].is_void);
  EXPECT_EQ(headcount_of(model).users, 1);
  EXPECT_THAT(headcount_texts(model).at(0),
              HasSubstr("at 2 at once the calls were not as planned"));
}

TEST(Headcount, AMarkOfALegFollowsItsLevel) {
  LedgerContent ledger = levels_run({{1, 29, 0}, {2, 60, 0}});
  ledger.telemetry = {synthetic::sampled(ledger.meta.cells[0].id, 2000,
                                         [](int64_t, TelemetrySample& s) { s.steal_percent = 9; })};
  const ReportModel model = make_report_model(std::move(ledger));
  EXPECT_EQ(headcount_of(model).levels[0].marks, std::vector<std::string>{"steal"});
  const auto table = headcount_table(model);
  ASSERT_TRUE(table);
  EXPECT_TRUE(table->rows[0][0].text.ends_with("at once !"));
  EXPECT_TRUE(table->rows[0].back().text.ends_with(", steal"));
}

TEST(Headcount, FailedCallsMissAndSkippedOnesAreNotJudged) {
  LedgerContent ledger = levels_run({{1, 20, 0, 20}});
  const ReportModel model = make_report_model(ledger);
  EXPECT_EQ(headcount_of(model).levels[0].judged, 40);
  EXPECT_EQ(headcount_of(model).levels[0].met, 20);
  EXPECT_TRUE(headcount_of(model).levels[0].misses);
}

TEST(Headcount, ACallWithoutASpeedIsJudgedByTheRestAlone) {
  const std::vector<Objective> asked = *parse_objectives("ttft:2s,tps:10");
  CallRecord one = synthetic::ok_call(0, {.ttft_ms = 100, .tokens = 1});
  EXPECT_EQ(holds(one, asked), std::nullopt);
  CallRecord late = synthetic::ok_call(0, {.ttft_ms = 5000, .tokens = 1});
  EXPECT_EQ(holds(late, asked), false);
  CallRecord good = synthetic::ok_call(0, {.ttft_ms = 100, .gap_ms = 20});
  EXPECT_EQ(holds(good, asked), true);
  EXPECT_EQ(holds(synthetic::skipped_call("budget"), asked), std::nullopt);
  // Waiting for its turn counts.
  good.at.due = *good.at.sent - 5'000'000'000;
  EXPECT_EQ(holds(good, asked), false);
}

TEST(Headcount, TheBoundsAreThoseOfClopperAndPearson) {
  // By bisection over the binomial's exact sums.
  EXPECT_NEAR(least_share(29, 29), 0.9018553723, 1e-9);
  EXPECT_NEAR(least_share(45, 50), 0.8011669975, 1e-9);
  EXPECT_NEAR(most_share(45, 50), 0.9597634096, 1e-9);
  EXPECT_EQ(least_share(0, 10), 0);
  EXPECT_EQ(most_share(10, 10), 1);
}

TEST(Headcount, TheBoundHoldsAsOftenAsItSays) {
  // The exact coverage of the lower bound at a true share of 0.9 and 40 calls.
  const double p = 0.9;
  constexpr int64_t kCalls = 40;
  double covered = 0;
  for (int64_t met = 0; met <= kCalls; ++met) {
    const auto k = static_cast<double>(met);
    const auto n = static_cast<double>(kCalls);
    const double chance =
        std::exp(std::lgamma(n + 1) - std::lgamma(k + 1) - std::lgamma(n - k + 1) +
                 k * std::log(p) + (n - k) * std::log1p(-p));
    if (least_share(met, kCalls) <= p) covered += chance;
  }
  EXPECT_GE(covered, 0.95);
  EXPECT_LT(covered, 0.99);
}

TEST(Headcount, GoodputIsCallsASecond) {
  const ReportModel model = make_report_model(levels_run({{1, 29, 0}}));
  const HeadcountLevel& level = headcount_of(model).levels[0];
  ASSERT_TRUE(level.goodput);
  const LegResult& leg = model.legs.at(0);
  EXPECT_NEAR(*level.goodput, *leg.requests_per_sec, 0.05 * *leg.requests_per_sec);
}

TEST(Headcount, NothingAskedIsNothingSaidButForAHint) {
  LedgerContent ledger = levels_run({{1, 10, 0}, {2, 10, 0}});
  ledger.meta.options_json = R"({"max-concurrency":"1,2"})";
  const ReportModel model = make_report_model(ledger);
  EXPECT_TRUE(model.goodput.cells.empty());
  EXPECT_FALSE(headcount_table(model));
  EXPECT_THAT(headcount_hint(model), HasSubstr("--goodput"));
}

}  // namespace
}  // namespace assay
