// What the earlier harness's description leaves open or says twice, and how it is resolved here:
// one test for each point that something stands for.
#include <gtest/gtest.h>

#include <algorithm>
#include <nlohmann/json.hpp>

#include "../store/store_test_support.h"
#include "reports/builtin.h"
#include "reports/document.h"
#include "run/planner.h"
#include "sample_runs.h"
#include "stats/rule_sets.h"
#include "store/ledger.h"

namespace assay {
namespace {

using nlohmann::json;
using synthetic::Builder;
using synthetic::failed_warm_call;
using synthetic::warm_call;

/// The ledger as it stands in a file, its end line only where there is one.
std::string lines_of(const LedgerContent& ledger) {
  std::string text = meta_line(ledger.meta) + "\n";
  for (const CallRecord& call : ledger.calls) text += call_line(call) + "\n";
  if (ledger.end) text += end_line(*ledger.end) + "\n";
  return text;
}

LedgerContent read_back(const std::string& text) {
  const TempDir dir;
  const auto file = dir.path() / "run.jsonl";
  EXPECT_TRUE(write_file_atomic(file, text));
  auto ledger = read_ledger(file);
  EXPECT_TRUE(ledger);
  return std::move(*ledger);
}

/// One leg of warm calls: `ok` of them, then `failed`.
LedgerContent warm_run(int64_t ok, int64_t failed) {
  Builder b("prompt");
  const int64_t leg = b.leg(b.cell("m"), b.prompt("P-EASY"), Phase::kWarm);
  if (ok > 0) b.add_ok(leg, ok, {.ttft_ms = 100, .cached = 0});
  for (int64_t i = 0; i < failed; ++i) {
    b.add(leg, synthetic::failed_call(b.now_ms, "connection refused"));
  }
  return b.ledger;
}

// The end of a run cannot stand in the line that is written first.
TEST(HarnessContradictions, TheEndIsALineOfItsOwnAndMayBeMissing) {
  LedgerContent ledger = warm_run(6, 0);
  const json first = json::parse(meta_line(ledger.meta));
  EXPECT_FALSE(first.contains("finished_at_utc"));
  EXPECT_FALSE(first.contains("load_avg_end"));
  const std::string whole = lines_of(ledger);
  EXPECT_EQ(make_report_model(read_back(whole)).state, "completed");
  ledger.end.reset();
  const ReportModel cut = make_report_model(read_back(lines_of(ledger)));
  EXPECT_EQ(cut.state, "interrupted");
  EXPECT_EQ(cut.legs.at(0).ok, 6);
}

// All load patterns by default, and one thread only: one call at a time unless asked.
TEST(HarnessContradictions, CallsAreMadeOneAtATimeUnlessMoreAreAskedFor) {
  RunSpec spec;
  spec.prompt = "Hello";
  for (const int64_t asked : {1, 4}) {
    if (asked > 1) spec.max_concurrency = asked;
    RunMeta meta;
    meta.cells.resize(1);
    ASSERT_TRUE(make_plan(spec, meta));
    for (const Leg& leg : meta.legs) {
      if (leg.phase != Phase::kWarmup) EXPECT_EQ(leg.concurrency, asked);
    }
  }
}

// An answer in one chunk has no span to divide by.
TEST(HarnessContradictions, SpeedOfAnAnswerInOneChunkIsAbsentWithItsReason) {
  CallRecord r = synthetic::ok_call(0, {.ttft_ms = 100, .tokens = 1});
  r.completion_tokens = 12;
  EXPECT_FALSE(derive::tokens_per_sec(r));
  EXPECT_EQ(derive::tokens_per_sec_or_reason(r).missing, "one_chunk");
  CallRecord same_time = warm_call(150, 150, {});
  same_time.completion_tokens = 12;
  EXPECT_EQ(derive::tokens_per_sec_or_reason(same_time).missing, "no_span");
  EXPECT_TRUE(json::parse(call_line(same_time))["tokens_per_sec"].is_null());
}

// The success rate counts errors only: a cut answer is flagged, not failed.
TEST(HarnessContradictions, AnAnswerCutAtItsLengthIsFlaggedAndNotFailed) {
  LedgerContent ledger = warm_run(6, 0);
  for (CallRecord& call : ledger.calls) {
    call.finish_reason = "length";
    call.flags.emplace_back("length");
  }
  const ReportModel model = make_report_model(std::move(ledger));
  EXPECT_EQ(model.legs.at(0).ok, 6);
  EXPECT_EQ(model.legs.at(0).failed, 0);
  EXPECT_EQ(model.legs.at(0).length, 6);
  EXPECT_NE(render_console(model, {}).find("6 cut at the length limit"), std::string::npos);
}

// Cold and warm calls both begin at 0.
TEST(HarnessContradictions, NumbersOfCallsBeginAnewInEachPhase) {
  const auto ledger = read_ledger(std::filesystem::path(ASSAY_TEST_DATA) / "v1" / "run.jsonl");
  ASSERT_TRUE(ledger);
  EXPECT_EQ(ledger->calls.at(0).phase, Phase::kCold);
  EXPECT_EQ(ledger->calls.at(1).phase, Phase::kWarm);
  EXPECT_EQ(ledger->calls.at(0).run_idx, 0);
  EXPECT_EQ(ledger->calls.at(1).run_idx, 0);
  EXPECT_EQ(ledger->duplicates, 0);
  const ReportModel model = make_report_model(*ledger);
  const auto with_calls = std::count_if(model.legs.begin(), model.legs.end(),
                                        [](const LegResult& leg) { return leg.ok == 1; });
  EXPECT_EQ(with_calls, 2);
}

// Planned are cells after filtering, and skipped ones must appear too.
TEST(HarnessContradictions, SkippedCellsAreDeclaredAndAppearWithTheirReason) {
  const LedgerContent ledger = synthetic::cells_run();
  const json meta = json::parse(meta_line(ledger.meta));
  EXPECT_EQ(meta["cells_declared"].size(), 4U);
  EXPECT_LT(meta["cells_planned"].size(), 4U);
  const ReportModel model = make_report_model(ledger);
  for (const auto& text : {render_console(model, {}), render_markdown(model, {})}) {
    EXPECT_NE(text.find("phi-4-mini"), std::string::npos);
    EXPECT_NE(text.find("skipped: "), std::string::npos);
  }
}

// A first event may be a role, a first text may be reasoning.
TEST(HarnessContradictions, FirstEventFirstTextAndFirstVisibleTextAreThreeFigures) {
  CallRecord r = synthetic::ok_call(0, {.ttft_ms = 200});
  r.at.first_visible = synthetic::ns(900);
  EXPECT_DOUBLE_EQ(*find_metric("first_delta_ms")->of_call(r), 100);
  EXPECT_DOUBLE_EQ(*find_metric("ttft_ms")->of_call(r), 200);
  EXPECT_DOUBLE_EQ(*find_metric("ttfv_ms")->of_call(r), 900);
}

// How a percentile of five is meant was not said.
TEST(HarnessContradictions, PercentilesInterpolateAndPrintHowManyCallsTheyRestOn) {
  EXPECT_DOUBLE_EQ(*percentile(std::vector{10.0, 20.0, 30.0, 40.0, 50.0}, 0.95), 48);
  const ReportModel model = make_report_model(warm_run(5, 0));
  EXPECT_NE(render_v1_baseline(model, {}).find("| 5 |"), std::string::npos)
      << render_v1_baseline(model, {});
}

// Discarded, annotated, recorded but excluded: three grades, and none is silent.
TEST(HarnessContradictions, DamageAnnotationAndExclusionAreThreeGrades) {
  LedgerContent ledger = warm_run(8, 1);
  ledger.calls.front().flags.emplace_back("prompt_truncated");
  const ReportModel model =
      make_report_model(read_back(lines_of(ledger) + R"({"type":"call","cell_id":)"));
  const auto has = [&](std::string_view code) {
    return std::any_of(model.unreliable.begin(), model.unreliable.end(),
                       [&](const Caveat& caveat) { return caveat.code == code; });
  };
  EXPECT_TRUE(has("torn_ledger"));       // Discarded: a line that is no line.
  EXPECT_TRUE(has("prompt_truncated"));  // Kept and annotated.
  const LegResult& leg = model.legs.at(0);
  EXPECT_EQ(leg.find("ttft_ms")->summary.n, 8);
  EXPECT_EQ(leg.failed, 1);  // Recorded, in no mean.
}

// With five calls "below 0.95" means any error.
TEST(HarnessContradictions, ARedFlagSaysOfHowManyCalls) {
  const std::vector<CallRecord> base(5, warm_call(100, 1000, 50.0));
  std::vector<CallRecord> now(4, warm_call(100, 1000, 50.0));
  now.push_back(failed_warm_call());
  EXPECT_EQ(baseline30(HarnessCalls(base), HarnessCalls(now)).back().detail, "1 of 5 calls failed");
  std::vector<CallRecord> twenty(19, warm_call(100, 1000, 50.0));
  twenty.push_back(failed_warm_call());
  const auto findings = baseline30(HarnessCalls(base), HarnessCalls(twenty));
  EXPECT_TRUE(std::none_of(findings.begin(), findings.end(),
                           [](const Finding& f) { return f.kind == Finding::Kind::kRedFlag; }));
}

// 30 % better has no meaning for a rate of at most 1.
TEST(HarnessContradictions, WinsAreOfTheThreeNumbersAndAMissingSideIsNeverStable) {
  std::vector<CallRecord> base(4, warm_call(100, 1000, 50.0));
  base.resize(20, failed_warm_call());
  const std::vector<CallRecord> now(20, warm_call(70, 700, 65.0));
  for (const Finding& f : baseline30(HarnessCalls(base), HarnessCalls(now))) {
    EXPECT_EQ(f.kind, Finding::Kind::kWin);
    EXPECT_NE(f.metric, "warm.success_rate");
  }
  for (const Finding& f : baseline30({}, HarnessCalls(now))) {
    EXPECT_EQ(f.kind, Finding::Kind::kNotComparable);
  }
}

// 66.7 is 2 tokens in 30 ms; a hash of 7 digits, a version that is a string.
TEST(HarnessContradictions, SpeedHasOneDecimalAndTheMetaLineItsTypes) {
  CallRecord r = warm_call(2810, 2840, {});
  r.completion_tokens = 2;
  EXPECT_DOUBLE_EQ(*derive::tokens_per_sec(r), 66.7);
  RunMeta meta;
  meta.git_sha = std::string(40, 'a');
  meta.harness_version = "1";
  meta.load_avg_start = {1.2, 1.5, 1.4};
  const json line = json::parse(meta_line(meta));
  EXPECT_EQ(line["git_sha"].get<std::string>().size(), 40U);
  EXPECT_TRUE(line["harness_version"].is_string());
  EXPECT_EQ(line["load_avg_start"].size(), 3U);
}

// A cell whose warm calls all failed has no percentile, and still its row.
TEST(HarnessContradictions, ACellWhoseCallsAllFailedKeepsItsRow) {
  const ReportModel model = make_report_model(warm_run(0, 5));
  const std::string text = render_v1_baseline(model, {});
  EXPECT_NE(text.find("local:llamacpp:m"), std::string::npos) << text;
  EXPECT_NE(text.find("| P-EASY "), std::string::npos) << text;
  const json leg = json::parse(render_json(model, {}))["legs"][0];
  EXPECT_EQ(leg["ok"], 0);
  EXPECT_EQ(leg["failed"], 5);
  EXPECT_TRUE(leg["metrics"].empty());
}

}  // namespace
}  // namespace assay
