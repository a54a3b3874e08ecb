#include "reports/compare_report.h"

#include <nlohmann/json.hpp>

#include "golden.h"
#include "sample_runs.h"

namespace assay {
namespace {

ReportModel slowed_prompt_run(double slower) {
  synthetic::Builder b("prompt");
  const int64_t cell = b.cell("gemma-3-1b");
  b.ledger.meta.cells[0].version = slower == 1 ? "b6120" : "b6341";
  b.add_ok(b.leg(cell, b.prompt("sky")), 12, {.ttft_ms = 200 * slower, .cached = 0}, 0.02);
  b.add_ok(b.leg(cell, b.prompt("coin")), 12, {.ttft_ms = 300 * slower, .cached = 0}, 0.02);
  return make_report_model(std::move(b.ledger));
}

ComparisonReport sample_report() {
  static const ReportModel base = slowed_prompt_run(1);
  static const ReportModel now = slowed_prompt_run(1.2);
  ComparisonReport r;
  r.base = base.meta;
  r.now = now.meta;
  r.base_name = "baseline";
  r.tolerance = 0.03;
  r.comparison = compare_runs({&base.meta, &base.legs}, {&now.meta, &now.legs}, {});
  r.rule_set = "baseline30";
  r.findings = baseline30(base.harness, now.harness);
  for (const char* text : {"ttft_ms.p50<300", "decode_tps.mean>=20"}) {
    const Threshold t = *parse_threshold(text);
    r.thresholds.push_back({t, check_threshold(t, now.legs)});
  }
  r.by_prompt = true;
  return r;
}

TEST(CompareReport, LooksTheSameEveryTime) {
  const ComparisonReport r = sample_report();
  const Document document = comparison_document(r);
  expect_golden("compare.txt", console_text(document, {}));
  expect_golden("compare.md", markdown_text(document));
  expect_golden("compare.json", comparison_json({r}));
}

TEST(CompareReport, StaysWithin77ColumnsAndAscii) {
  RenderOptions options;
  options.glyphs = RenderOptions::Glyphs::kAscii;
  const std::string text = console_text(comparison_document(sample_report()), options);
  size_t width = 0;
  for (const char c : text) {
    EXPECT_GE(c, 0);
    width = c == '\n' ? 0 : width + 1;
    EXPECT_LE(width, 77U);
  }
}

TEST(CompareReport, FailsOnRegressionsAndMissedThresholdsOnly) {
  ComparisonReport r = sample_report();
  EXPECT_TRUE(r.failed());
  EXPECT_TRUE(nlohmann::json::parse(comparison_json({r}))["comparisons"][0]["failed"]);
  r.comparison = {};
  EXPECT_TRUE(r.failed());  // ttft_ms.p50<300 is missed.
  r.thresholds.clear();
  EXPECT_FALSE(r.failed());  // A rule set only advises.
}

}  // namespace
}  // namespace assay
