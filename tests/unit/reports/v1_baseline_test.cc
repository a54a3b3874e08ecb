#include <filesystem>

#include "golden.h"
#include "model/json.h"
#include "reports/builtin.h"
#include "reports/findings.h"
#include "stats/rule_sets.h"
#include "store/ledger.h"

namespace assay {
namespace {

LedgerContent example() {
  auto ledger = read_ledger(std::filesystem::path(ASSAY_TEST_DATA) / "v1" / "run.jsonl");
  EXPECT_TRUE(ledger) << ledger.error().message;
  return std::move(*ledger);
}

TEST(V1Ledger, IsReadByItsErrorFieldAlone) {
  const LedgerContent ledger = example();
  EXPECT_EQ(ledger.unknown_lines, 0);
  ASSERT_EQ(ledger.meta.cells.size(), 2U);
  EXPECT_EQ(ledger.meta.cells[1].kind, "llamacpp");
  EXPECT_EQ(ledger.meta.cells[1].model, "qwen3.5:0.8b");
  ASSERT_EQ(ledger.calls.size(), 4U);
  EXPECT_EQ(ledger.calls[0].outcome, Outcome::kOk);
  EXPECT_EQ(ledger.calls[2].outcome, Outcome::kError);
  EXPECT_EQ(ledger.calls[3].outcome, Outcome::kSkipped);
}

TEST(V1Ledger, RoundTrips) {
  for (const CallRecord& record : example().calls) {
    const auto again = parse_call(call_line(record));
    ASSERT_TRUE(again);
    EXPECT_EQ(again->first_delta_ms, record.first_delta_ms);
    EXPECT_EQ(again->tokens_per_sec, record.tokens_per_sec);
    EXPECT_EQ(again->outcome, record.outcome);
    EXPECT_EQ(call_line(*again), call_line(record));
  }
}

TEST(V1Baseline, HasItsShapeAndTheSameBytesEveryTime) {
  const ReportModel model = make_report_model(example());
  const std::string text = render_v1_baseline(model, {});
  EXPECT_EQ(text, render_v1_baseline(make_report_model(example()), {}));
  expect_golden("v1-baseline.md", text);
}

TEST(V1Baseline, EndsWithWhatTheRulesSayAgainstAnotherRun) {
  const LedgerContent base = example();
  LedgerContent now = example();
  for (CallRecord& record : now.calls) {
    if (record.first_delta_ms) *record.first_delta_ms *= 2;
    if (record.tokens_per_sec) *record.tokens_per_sec *= 1.5;
  }
  expect_golden("against.md", findings_markdown("base|run", baseline30(HarnessCalls(base.calls),
                                                                       HarnessCalls(now.calls))));
}

TEST(V1Baseline, OneErrorOfTwoIsARedFlagWithItsCount) {
  const LedgerContent ledger = example();
  const auto findings = baseline30(HarnessCalls(ledger.calls), HarnessCalls(ledger.calls));
  const auto flag = std::find_if(findings.begin(), findings.end(), [](const Finding& f) {
    return f.kind == Finding::Kind::kRedFlag;
  });
  ASSERT_NE(flag, findings.end());
  EXPECT_EQ(flag->n, 2);
}

}  // namespace
}  // namespace assay
