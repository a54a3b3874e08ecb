#include <gtest/gtest.h>

#include <algorithm>

#include "golden.h"
#include "reports/builtin.h"
#include "sample_runs.h"

namespace assay {
namespace {

std::string junit_of(LedgerContent ledger) {
  return render_junit(make_report_model(std::move(ledger)), {});
}

TEST(Junit, MatchesItsGoldenFiles) {
  expect_golden("prompt.xml", junit_of(synthetic::prompt_run()));
  expect_golden("cells.xml", junit_of(synthetic::cells_run()));
}

TEST(Junit, ALegFailsBelowTheSuccessRate) {
  synthetic::Builder b("prompt");
  const int64_t cell = b.cell("m");
  const int64_t fine = b.leg(cell, b.prompt("fine"));
  b.add_ok(fine, 19, {});
  b.add(fine, synthetic::failed_call(b.now_ms, "reset"));
  const int64_t bad = b.leg(cell, b.prompt("bad"));
  b.add_ok(bad, 18, {});
  b.add(bad, synthetic::failed_call(b.now_ms, "reset"));
  const std::string xml = junit_of(b.ledger);
  EXPECT_NE(xml.find("tests=\"2\" failures=\"1\""), std::string::npos) << xml;
  EXPECT_NE(xml.find("1 of 19 calls failed (success rate 0.947, limit 0.95)"), std::string::npos);
}

TEST(Junit, TextOfOthersIsNoMarkup) {
  LedgerContent ledger = synthetic::cells_run();
  for (Cell& cell : ledger.meta.cells) cell.id += "\"]]><a>&\x01\x1b[2J\u202e";
  for (CallRecord& call : ledger.calls) {
    call.cell_id += "\"]]><a>&\x01\x1b[2J\u202e";
    if (call.error) call.error = "]]>\x02</failure>";
  }
  const std::string xml = junit_of(std::move(ledger));
  EXPECT_EQ(xml.find("]]>"), std::string::npos);
  EXPECT_EQ(xml.find("<a>"), std::string::npos);
  EXPECT_TRUE(std::all_of(xml.begin(), xml.end(),
                          [](char c) { return c == '\n' || static_cast<unsigned char>(c) >= 32; }));
}

}  // namespace
}  // namespace assay
