#include "reports/rank.h"

#include <gtest/gtest.h>

#include <string>
#include <vector>

namespace assay {
namespace {

/// Cells a to c: a is the fastest and largest, b the first to answer, c has no figures.
ReportModel three_cells(const std::string& rank_by) {
  ReportModel model;
  model.meta.options_json = R"({"rank-by":")" + rank_by + R"("})";
  model.meta.cells.resize(3);
  model.cells.resize(3);
  for (size_t i = 0; i < 3; ++i) {
    model.meta.cells[i].id = std::string(1, static_cast<char>('a' + i));
    model.cells[i].cell = static_cast<int64_t>(i);
  }
  model.meta.cells[0].model_bytes = 8'000'000'000;
  model.cells[0].tg_tps = 40;
  model.cells[0].ttft_fresh_ms = 300;
  model.meta.cells[1].model_bytes = 1'000'000'000;
  model.cells[1].tg_tps = 20;
  model.cells[1].ttft_fresh_ms = 100;
  return model;
}

std::string order(const std::string& rank_by) {
  const ReportModel model = three_cells(rank_by);
  std::string ids;
  for (const CellSummary* cell : ranked(model)) ids += model.cell_of(*cell).id;
  return ids;
}

TEST(Rank, SpeedIsTheUsualOrder) {
  EXPECT_EQ(order("speed"), "abc");
  EXPECT_EQ(order(""), "abc");
}

TEST(Rank, TtftMemoryAndEfficiencyHaveTheirOwn) {
  EXPECT_EQ(order("ttft"), "bac");
  EXPECT_EQ(order("memory"), "bac");
  EXPECT_EQ(order("efficiency"), "bac");
}

TEST(Rank, MemoryOfTheLoadedModelGoesBeforeItsFile) {
  ReportModel model = three_cells("memory");
  model.cells[1].memory_bytes = 9'000'000'000;
  EXPECT_EQ(ranked(model).front()->cell, 0);
}

}  // namespace
}  // namespace assay
