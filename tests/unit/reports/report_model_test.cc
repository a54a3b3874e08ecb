#include "reports/report_model.h"

#include <gtest/gtest.h>

#include "reports/cell_figures.h"
#include "sample_runs.h"

namespace assay {
namespace {

TEST(ReportModel, SpeedCellsHaveTheirLine) {
  const ReportModel model = make_report_model(synthetic::speed_run());
  ASSERT_EQ(model.cells.size(), 3U);
  const CellSummary& fast = model.cells[0];
  EXPECT_EQ(fast.pp_source, "client");
  EXPECT_NEAR(*fast.pp_tps, 1500, 60);
  EXPECT_NEAR(*fast.tg_tps, 40, 1);
  EXPECT_TRUE(fast.tg_ci95);
  EXPECT_NEAR(*fast.tg_depth_tps, 1000 / 29.1, 1);
  EXPECT_EQ(fast.depth_tokens, 4096);
  EXPECT_NEAR(*fast.ttft_fresh_ms, 20 + 32 / 1.5, 2);
  EXPECT_NEAR(*fast.ttft_reused_ms, 15, 1);
  EXPECT_DOUBLE_EQ(*fast.load_ms, 812.4);
  EXPECT_NEAR(*fast.tg_difference, -1.0 / 128, 1e-3);
  EXPECT_TRUE(fast.pp_difference);
  const CellSummary& gone = model.cells[2];
  EXPECT_EQ(gone.ok, 0);
  EXPECT_EQ(gone.skipped, 1);
  EXPECT_EQ(gone.skipped_reason, "connection refused");
  EXPECT_FALSE(gone.pp_tps || gone.tg_tps || gone.ttft_fresh_ms || gone.load_ms);
}

TEST(ReportModel, RandomWeightsAreANoteAndNoCaveat) {
  const ReportModel model = make_report_model(synthetic::speed_run());
  EXPECT_TRUE(model.unreliable.empty());
  ASSERT_EQ(model.notes.size(), 1U);
  EXPECT_TRUE(model.notes[0].starts_with("random weights: speed is real, text is noise"));
}

TEST(ReportModel, WithTooFewLengthsPrefillIsTheEnginesOwn) {
  const ReportModel model = make_report_model(synthetic::cells_run());
  EXPECT_EQ(model.cells[0].pp_source, "engine");
  EXPECT_TRUE(model.cells[0].pp_tps);
  EXPECT_FALSE(model.cells[0].pp_difference);
  EXPECT_EQ(model.cells[2].pp_source, "");
}

TEST(ReportModel, PromptsHaveEqualWeights) {
  synthetic::Builder b("synthetic");
  const int64_t cell = b.cell("m");
  b.add_ok(b.leg(cell, b.prompt("a")), 9, {.gap_ms = 10, .tokens = 64, .cached = 0}, 0);
  b.add_ok(b.leg(cell, b.prompt("b")), 6, {.gap_ms = 50, .tokens = 64, .cached = 0}, 0);
  const ReportModel model = make_report_model(b.ledger);
  EXPECT_DOUBLE_EQ(*model.cells[0].tg_tps, 60);
  EXPECT_TRUE(model.cells[0].tg_ci95);
}

TEST(ReportModel, ALedgerWithoutEndIsInterrupted) {
  LedgerContent ledger = synthetic::prompt_run();
  ledger.end.reset();
  const ReportModel model = make_report_model(std::move(ledger));
  EXPECT_EQ(model.state, "interrupted");
  EXPECT_FALSE(model.wall_s);
}

}  // namespace
}  // namespace assay
