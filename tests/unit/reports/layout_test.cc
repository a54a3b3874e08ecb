#include "reports/layout.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <string>
#include <vector>

namespace assay {
namespace {

using testing::ElementsAre;
using testing::HasSubstr;
using testing::IsEmpty;
using testing::Not;

/// As wide as a narrow place and a column more.
Table table_with(const std::string& memory) {
  const std::string wide(30, 'x');
  Table table;
  table.columns = {{"Model", "", Align::kLeft},
                   {"Engine", "", Align::kLeft, 4},
                   {"speed", "tok/s", Align::kRight},
                   {"mem", "MB", Align::kRight, 3}};
  table.rows = {{"a", wide, wide, memory}, {"b", wide, wide, "-"}};
  return table;
}

std::string text_of(const Table& table) {
  std::string text;
  for (const std::string& line : lay_out(table, RenderOptions())) text += line + "\n";
  return text;
}

TEST(Layout, ANarrowPlaceTakesTheLeastImportantColumnAndSaysSo) {
  const Table table = table_with(std::string(12, '9'));
  EXPECT_THAT(text_of(table), Not(HasSubstr("Engine")));
  EXPECT_THAT(left_out(table, RenderOptions()), ElementsAre("Engine"));
}

TEST(Layout, AColumnWithoutAValueGoesFirstAndIsNotMissed) {
  Table table = table_with("-");
  table.columns[3].min_width = 12;
  EXPECT_THAT(text_of(table), HasSubstr("Engine"));
  EXPECT_THAT(text_of(table), Not(HasSubstr("mem")));
  EXPECT_THAT(left_out(table, RenderOptions()), IsEmpty());
}

}  // namespace
}  // namespace assay
