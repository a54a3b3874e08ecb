// How a leg's calls went over time, as reports tell it.
#include <gtest/gtest.h>

#include <functional>
#include <nlohmann/json.hpp>

#include "reports/builtin.h"
#include "sample_runs.h"

namespace assay {
namespace {

/// A leg of `n` calls whose times are `factor(i)` of the usual, with a wobble of 2 %.
ReportModel run_with(int64_t n, const std::function<double(int64_t)>& factor) {
  synthetic::Builder b("prompt");
  const int64_t leg = b.leg(b.cell("m"), b.prompt("P-EASY"));
  SplitMix64 random(7);
  for (int64_t i = 0; i < n; ++i) {
    const double times = factor(i) * (1 + 0.02 * (2 * random.unit() - 1));
    b.add(leg, synthetic::ok_call(b.now_ms,
                                  {.ttft_ms = 100 * times, .gap_ms = 20 * times, .cached = 0}));
    b.now_ms += 2000;
  }
  return make_report_model(std::move(b.ledger));
}

nlohmann::json course_of(const ReportModel& model) {
  return nlohmann::json::parse(render_json(model, {}))["legs"][0]["course"];
}

bool has_caveat(const ReportModel& model, std::string_view code) {
  return std::any_of(model.unreliable.begin(), model.unreliable.end(),
                     [&](const Caveat& caveat) { return caveat.code == code; });
}

bool holds(const std::string& text, std::string_view part) {
  return text.find(part) != std::string::npos;
}

TEST(Course, ALegWithoutATrendIsCalledStationary) {
  const ReportModel model = run_with(60, [](int64_t) { return 1.0; });
  EXPECT_EQ(course_of(model)["verdict"], "stationary");
  EXPECT_TRUE(course_of(model)["suggested_warmup"].is_null());
  EXPECT_TRUE(model.unreliable.empty());
  EXPECT_TRUE(holds(render_console(model, {}), "60 calls: 60 ok · stationary"));
  EXPECT_TRUE(holds(render_html(model, {}), "60 calls: 60 ok · stationary</h4>"));
}

TEST(Course, ADriftIsACaveatWithItsSize) {
  const ReportModel model =
      run_with(60, [](int64_t i) { return 1 + 0.3 * static_cast<double>(i) / 59; });
  const nlohmann::json course = course_of(model);
  EXPECT_EQ(course["verdict"], "drifting");
  EXPECT_NEAR(course["first_to_last"].get<double>(), 0.27, 0.03);
  EXPECT_TRUE(has_caveat(model, "drifting"));
  for (const std::string& text :
       {render_console(model, {}), render_markdown(model, {}), render_html(model, {})}) {
    EXPECT_TRUE(holds(text, "drifting: E2E latency")) << text;
    EXPECT_TRUE(holds(text, "from the first to")) << text;
  }
}

TEST(Course, ALatencyThatDoublesIsSaturated) {
  const ReportModel model =
      run_with(60, [](int64_t i) { return 1 + 2 * static_cast<double>(i) / 59; });
  EXPECT_EQ(course_of(model)["verdict"], "saturated");
  EXPECT_TRUE(has_caveat(model, "saturated"));
}

TEST(Course, AWarmUpIsSuggestedAndNothingIsLeftOut) {
  const ReportModel model = run_with(60, [](int64_t i) { return i < 10 ? 1.5 : 1.0; });
  const auto warmup = course_of(model)["suggested_warmup"].get<int64_t>();
  EXPECT_GE(warmup, 10);
  EXPECT_LE(warmup, 20);  // No more than a third.
  EXPECT_EQ(model.legs.at(0).find("ttft_ms")->summary.n, 60);
  EXPECT_TRUE(holds(render_markdown(model, {}),
                    "the first " + std::to_string(warmup) + " calls look like warm-up"));
}

TEST(Course, FewCallsAreNotJudged) {
  EXPECT_TRUE(course_of(run_with(29, [](int64_t) { return 1.0; })).is_null());
}

}  // namespace
}  // namespace assay
