#include "stats/rule_sets.h"

#include <gtest/gtest.h>

namespace assay {
namespace {

using Kind = Finding::Kind;

CallRecord warm(int64_t first_delta, int64_t total, std::optional<double> tps) {
  CallRecord r;
  r.cell_id = "tower:ollama:m:1b";
  r.prompt_id = "P-EASY";
  r.phase = Phase::kWarm;
  r.outcome = Outcome::kOk;
  r.first_delta_ms = first_delta;
  r.total_duration_ms = total;
  r.tokens_per_sec = tps;
  return r;
}

CallRecord failed() {
  CallRecord r = warm(0, 0, {});
  r.outcome = Outcome::kError;
  r.error = "gone";
  return r;
}

std::vector<Kind> kinds(const std::vector<Finding>& findings) {
  std::vector<Kind> list;
  for (const Finding& f : findings) list.push_back(f.kind);
  return list;
}

TEST(Baseline30, ThirtyPercentCounts) {
  const std::vector<CallRecord> base(5, warm(100, 1000, 50.0));
  const std::vector<CallRecord> slower(5, warm(130, 1299, 35.0));
  EXPECT_EQ(kinds(baseline30(base, slower)),
            (std::vector{Kind::kRegression, Kind::kStable, Kind::kRegression}));
  const std::vector<CallRecord> faster(5, warm(70, 701, 65.0));
  EXPECT_EQ(kinds(baseline30(base, faster)), (std::vector{Kind::kWin, Kind::kStable, Kind::kWin}));
}

TEST(Baseline30, FlagsErrorsWithTheirCount) {
  const std::vector<CallRecord> base(5, warm(100, 1000, 50.0));
  std::vector<CallRecord> now(4, warm(100, 1000, 50.0));
  now.push_back(failed());
  const auto findings = baseline30(base, now);
  ASSERT_EQ(findings.size(), 4U);
  EXPECT_EQ(findings[3].kind, Kind::kRedFlag);
  EXPECT_EQ(findings[3].n, 5);
  EXPECT_DOUBLE_EQ(*findings[3].now, 0.8);
  EXPECT_EQ(findings[3].detail, "1 of 5 calls failed");
  // 19 of 20 is 0.95, which is not below it.
  std::vector<CallRecord> twenty(19, warm(100, 1000, 50.0));
  twenty.push_back(failed());
  EXPECT_EQ(baseline30(base, twenty).size(), 3U);
}

TEST(Baseline30, NotComparableIsNeverStable) {
  const std::vector<CallRecord> zero(5, warm(0, 1000, std::nullopt));
  const std::vector<CallRecord> base(5, warm(100, 1000, 50.0));
  EXPECT_EQ(kinds(baseline30(zero, base)),
            (std::vector{Kind::kNotComparable, Kind::kStable, Kind::kNotComparable}));
  const std::vector<CallRecord> all_failed(5, failed());
  const auto findings = baseline30(base, all_failed);
  EXPECT_EQ(kinds(findings), (std::vector{Kind::kNotComparable, Kind::kNotComparable,
                                          Kind::kNotComparable, Kind::kRedFlag}));
  EXPECT_EQ(*findings[3].now, 0);
  EXPECT_EQ(kinds(baseline30(base, {})), std::vector(3, Kind::kNotComparable));
}

TEST(Trend10, ComparesTheLastThreeWithAll) {
  const auto points = [](std::initializer_list<double> speeds) {
    std::vector<TrendPoint> list;
    for (const double speed : speeds) list.push_back({"abcdef0123", speed});
    return list;
  };
  EXPECT_FALSE(trend10("c", points({1, 2, 3})));
  EXPECT_EQ(trend10("c", points({50, 50, 50, 50, 30, 31, 30}))->kind, Kind::kRegression);
  EXPECT_EQ(trend10("c", points({30, 30, 30, 30, 50, 50, 50}))->kind, Kind::kWin);
  EXPECT_EQ(trend10("c", points({50, 51, 50, 49}))->kind, Kind::kStable);
  EXPECT_EQ(trend10("c", points({0, 0, 0, 0}))->kind, Kind::kNotComparable);
  const auto odd = trend10("c", points({50, 50, 50, 50, 50, 50, 50, 10, 50, 50, 50}));
  EXPECT_NE(odd->detail.find("abcdef01 is an anomaly"), std::string::npos) << odd->detail;
}

}  // namespace
}  // namespace assay
