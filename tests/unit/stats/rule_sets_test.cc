#include "stats/rule_sets.h"

#include <gtest/gtest.h>

#include "synthetic.h"

namespace assay {
namespace {

using Kind = Finding::Kind;
using synthetic::failed_warm_call;
using synthetic::warm_call;

std::vector<Kind> kinds(const std::vector<Finding>& findings) {
  std::vector<Kind> list;
  for (const Finding& f : findings) list.push_back(f.kind);
  return list;
}

TEST(Baseline30, ThirtyPercentCounts) {
  const std::vector<CallRecord> base(5, warm_call(100, 1000, 50.0));
  const std::vector<CallRecord> slower(5, warm_call(130, 1299, 35.0));
  EXPECT_EQ(kinds(baseline30(HarnessCalls(base), HarnessCalls(slower))),
            (std::vector{Kind::kRegression, Kind::kStable, Kind::kRegression}));
  const std::vector<CallRecord> faster(5, warm_call(70, 701, 65.0));
  EXPECT_EQ(kinds(baseline30(HarnessCalls(base), HarnessCalls(faster))),
            (std::vector{Kind::kWin, Kind::kStable, Kind::kWin}));
}

TEST(Baseline30, FlagsErrorsWithTheirCount) {
  const std::vector<CallRecord> base(5, warm_call(100, 1000, 50.0));
  std::vector<CallRecord> now(4, warm_call(100, 1000, 50.0));
  now.push_back(failed_warm_call());
  const auto findings = baseline30(HarnessCalls(base), HarnessCalls(now));
  ASSERT_EQ(findings.size(), 4U);
  EXPECT_EQ(findings[3].kind, Kind::kRedFlag);
  EXPECT_EQ(findings[3].n, 5);
  EXPECT_DOUBLE_EQ(*findings[3].now, 0.8);
  EXPECT_EQ(findings[3].detail, "1 of 5 calls failed");
  // 19 of 20 is 0.95, which is not below it.
  std::vector<CallRecord> twenty(19, warm_call(100, 1000, 50.0));
  twenty.push_back(failed_warm_call());
  EXPECT_EQ(baseline30(HarnessCalls(base), HarnessCalls(twenty)).size(), 3U);
}

TEST(Baseline30, NotComparableIsNeverStable) {
  const std::vector<CallRecord> zero(5, warm_call(0, 1000, std::nullopt));
  const std::vector<CallRecord> base(5, warm_call(100, 1000, 50.0));
  EXPECT_EQ(kinds(baseline30(HarnessCalls(zero), HarnessCalls(base))),
            (std::vector{Kind::kNotComparable, Kind::kStable, Kind::kNotComparable}));
  const std::vector<CallRecord> all_failed(5, failed_warm_call());
  const auto findings = baseline30(HarnessCalls(base), HarnessCalls(all_failed));
  EXPECT_EQ(kinds(findings), (std::vector{Kind::kNotComparable, Kind::kNotComparable,
                                          Kind::kNotComparable, Kind::kRedFlag}));
  EXPECT_EQ(*findings[3].now, 0);
  EXPECT_EQ(kinds(baseline30(HarnessCalls(base), {})), std::vector(3, Kind::kNotComparable));
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
