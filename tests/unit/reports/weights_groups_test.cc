#include "reports/weights_groups.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <nlohmann/json.hpp>

#include "reports/cell_rows.h"
#include "reports/document.h"

namespace assay {
namespace {

using ::testing::ElementsAre;
using ::testing::HasSubstr;

Cell cell(const std::string& kind, const std::string& url, const std::string& weights) {
  Cell c;
  c.id = "local:" + kind + ":m";
  c.kind = kind;
  c.url = url;
  c.model = "m";
  c.weights = weights;
  return c;
}

/// Two servers of the same weights and one of others.
RunMeta three() {
  RunMeta meta;
  meta.cells = {cell("llamacpp", "http://127.0.0.1:1", "aa11bb22cc33"),
                cell("ollama", "http://127.0.0.1:2", "dd44"),
                cell("llamacpp", "http://127.0.0.1:3", "aa11bb22cc33")};
  meta.cells[0].threads = 2;
  meta.cells[2].threads = 1;
  meta.cells[0].context_length = 4096;
  meta.cells[2].context_length = 4096;
  meta.cells[0].load_effective.emplace().flash_attention = "on";
  return meta;
}

TEST(WeightsGroups, SayWhatDiffersAndWhatNobodyTells) {
  const auto groups = weights_rows(three(), {0, 1, 2});
  ASSERT_EQ(groups.size(), 1U);
  EXPECT_THAT(groups[0].cells, ElementsAre(0, 2));
  const std::string why = why_text(groups[0]);
  EXPECT_THAT(why, HasSubstr("same weights aa11bb22: flash attention on / not told, threads 2 / 1;"
                             " not told: cache type k"));
  EXPECT_THAT(why, testing::Not(HasSubstr("context")));    // It is the same.
  EXPECT_THAT(why, testing::Not(HasSubstr("projector")));  // Most models have none.
}

TEST(WeightsGroups, StandInTheOrderOfTheRows) {
  const auto groups = weights_rows(three(), {2, 1, 0});
  ASSERT_EQ(groups.size(), 1U);
  EXPECT_THAT(why_text(groups[0]), HasSubstr("threads 1 / 2"));
}

TEST(WeightsGroups, CombinationsOfOneMatrixAreNone) {
  RunMeta meta = three();
  meta.cells.resize(1);
  meta.cells.push_back(meta.cells[0]);
  meta.cells[1].matrix = {"temperature=1"};
  EXPECT_TRUE(weights_rows(meta, {0, 1}).empty());
}

TEST(WeightsGroups, AreInTheJsonWithTheirSettings) {
  const auto json = weights_json(three());
  ASSERT_EQ(json.size(), 1U);
  EXPECT_EQ(json[0]["digest"], "aa11bb22cc33");
  EXPECT_EQ(json[0]["differs"]["threads"].dump(), R"(["2","1"])");
  EXPECT_EQ(json[0]["differs"]["flash attention"].dump(), R"(["on",null])");
}

ReportModel model_of(RunMeta meta) {
  ReportModel model;
  model.meta = std::move(meta);
  model.meta.suite = "speed";
  for (size_t i = 0; i < model.meta.cells.size(); ++i) {
    CellSummary summary;
    summary.cell = static_cast<int64_t>(i);
    summary.ok = 1;
    summary.tg_tps = 30.0 - static_cast<double>(i);
    model.cells.push_back(summary);
  }
  return model;
}

TEST(CellRows, PutAGroupsRowsTogetherWithItsRemarkBelow) {
  const ReportModel model = model_of(three());
  std::vector<int64_t> order;
  const auto rows = rows_of(model);
  for (const CellSummary* row : rows) order.push_back(row->cell);
  EXPECT_THAT(order, ElementsAre(0, 2, 1));
  Table table;
  table.columns = {{"Model"}, {"tg"}};
  for (const CellSummary* row : rows) table.rows.push_back({std::to_string(row->cell), "x"});
  complete_rows(model, rows, table);
  ASSERT_EQ(table.rows.size(), 4U);
  ASSERT_EQ(table.rows[2].size(), 1U);
  EXPECT_THAT(table.rows[2][0].text, HasSubstr("same weights aa11bb22"));
  EXPECT_EQ(table.rows[3][0].text, "1");
}

TEST(CellRows, TheRemarkIsWholeInTheTerminal) {
  RenderOptions options;
  const std::string text = render_console(model_of(three()), options);
  EXPECT_THAT(text, HasSubstr("same weights aa11bb22"));
  EXPECT_THAT(text, HasSubstr("offload"));  // Its last word.
  for (size_t at = 0; at < text.size();) {
    const size_t end = std::min(text.find('\n', at), text.size());
    EXPECT_LE(end - at, 80U) << text.substr(at, end - at);
    at = end + 1;
  }
}

TEST(CellRows, OptionsOfAMatrixBecomeColumns) {
  RunMeta meta;
  for (const char* threads : {"1", "2"}) {
    Cell one = cell("llamacpp", "", "");
    one.matrix = {std::string("threads=") + threads, "gpu-layers=99"};
    one.id += "@" + one.matrix[0] + "," + one.matrix[1];
    meta.cells.push_back(one);
  }
  const ReportModel model = model_of(meta);
  const auto rows = rows_of(model);
  Table table;
  table.columns = {{"Model"}, {"tg"}};
  for (size_t i = 0; i < rows.size(); ++i) table.rows.push_back({"m", "x"});
  complete_rows(model, rows, table);
  ASSERT_EQ(table.columns.size(), 3U);  // There is one model: its name says nothing.
  EXPECT_EQ(table.columns[0].title, "threads");
  EXPECT_EQ(table.columns[1].title, "gpu");
  EXPECT_EQ(table.columns[1].unit, "layers");
  EXPECT_EQ(table.rows[1][0].text, "2");
  EXPECT_EQ(table.rows[1][1].text, "99");
  EXPECT_EQ(matrix_label(model.meta, model.meta.cells[0]), "threads=1 gpu-layers=99");
}

}  // namespace
}  // namespace assay
