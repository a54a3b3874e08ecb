// Which is faster, by how much, how sure is that, under which circumstances, what to do next: a
// page has to answer each as text, without its pictures (docs/reports.md).
#include <gtest/gtest.h>

#include "reports/builtin.h"
#include "sample_comparison.h"

namespace assay {
namespace {

/// What a reader sees without pictures: no tags, no style, no data.
std::string text_of(std::string html) {
  for (const auto& [open, close] : {std::pair{"<style>", "</style>"}, std::pair{"<svg", "</svg>"},
                                    std::pair{"<script", "</script>"}}) {
    for (size_t at = 0; (at = html.find(open, at)) != std::string::npos;) {
      html.erase(at, html.find(close, at) + std::string_view(close).size() - at);
    }
  }
  std::string text;
  bool inside = false;
  for (const char c : html) {
    if (c == '<') inside = true;
    if (!inside) text += c;
    if (c == '>') inside = false;
  }
  return text;
}

/// The text of one part of the page; of the head without an id.
std::string part_of(const std::string& html, const std::string& id) {
  const size_t from = id.empty() ? html.find("<header>") : html.find("<section id=\"" + id + "\"");
  if (from == std::string::npos) return {};
  return text_of(
      html.substr(from, html.find(id.empty() ? "</header>" : "</section>", from) - from));
}

#define EXPECT_HOLDS(text, part) EXPECT_NE((text).find(part), std::string::npos) << (text)

std::string page_of_two_cells() {
  synthetic::Builder b("synthetic");
  b.ledger.meta.options_json = R"({"model":["one","two"],"repetitions":"8"})";
  const int64_t prompt = b.prompt("p");
  b.add_ok(b.leg(b.cell("one"), prompt), 8, {.gap_ms = 10, .tokens = 64, .cached = 0}, 0.02);
  b.add_ok(b.leg(b.cell("two"), prompt), 8, {.gap_ms = 20, .tokens = 64, .cached = 0}, 0.02);
  b.ledger.meta.cells[0].version = "b6341";
  return render_html(make_report_model(b.ledger), {});
}

std::string page_of_a_comparison() {
  std::vector<ReportModel> runs;
  runs.push_back(synthetic::compared_run("aaaaaaaa-1", 1));
  runs.push_back(synthetic::compared_run("bbbbbbbb-2", 1.2));
  return synthetic::Comparison(std::move(runs)).html();
}

TEST(FiveQuestions, ARunSaysWhichIsFaster) {
  EXPECT_HOLDS(part_of(page_of_two_cells(), ""), "\none (99.7 ± 0.7 tok/s) is the fastest");
}

TEST(FiveQuestions, ARunSaysByHowMuch) {
  EXPECT_HOLDS(part_of(page_of_two_cells(), ""), "2.00x slower");
}

TEST(FiveQuestions, ARunSaysHowSureThatIs) {
  const std::string head = part_of(page_of_two_cells(), "");
  EXPECT_HOLDS(head, "Their 95 % intervals do not touch");
  EXPECT_HOLDS(head, "Another run of the same can differ by more");
  EXPECT_HOLDS(head, "measurement ok");
}

TEST(FiveQuestions, ARunSaysUnderWhichCircumstances) {
  const std::string part = part_of(page_of_two_cells(), "circumstances");
  for (const char* fact : {"b6341", "tower", "llamacpp", "2026-01-31", "synthetic"}) {
    EXPECT_HOLDS(part, fact);
  }
}

TEST(FiveQuestions, ARunSaysWhatToDoNext) {
  const std::string part = part_of(page_of_two_cells(), "next");
  EXPECT_HOLDS(part, "assay run --model one --model two --repetitions 8");
  EXPECT_HOLDS(part, "assay compare 01234567 last");
}

TEST(FiveQuestions, AComparisonSaysWhichIsFaster) {
  EXPECT_HOLDS(part_of(page_of_a_comparison(), ""), "gemma-3-1b: the new run is worse.");
}

TEST(FiveQuestions, AComparisonSaysByHowMuch) {
  EXPECT_HOLDS(part_of(page_of_a_comparison(), ""), "TTFT fresh +20.0 %");
  EXPECT_HOLDS(part_of(page_of_a_comparison(), "summary"), "▼ worse");
}

TEST(FiveQuestions, AComparisonSaysHowSureThatIs) {
  EXPECT_HOLDS(part_of(page_of_a_comparison(), ""), "(95 % interval +1");
  const std::string part = part_of(page_of_a_comparison(), "certainty");
  EXPECT_HOLDS(part, "the unit is a call; 12 of the base against 12 of the new run");
  EXPECT_HOLDS(part, "within-run only");
  EXPECT_HOLDS(part, "smallest change of the output speed");
}

TEST(FiveQuestions, AComparisonSaysUnderWhichCircumstances) {
  const std::string part = part_of(page_of_a_comparison(), "circumstances");
  for (const char* fact : {"b6120", "b6341", "host tower", "suite prompt", "2026-01-31"}) {
    EXPECT_HOLDS(part, fact);
  }
}

TEST(FiveQuestions, AComparisonSaysWhatToDoNext) {
  const std::string part = part_of(page_of_a_comparison(), "next");
  EXPECT_HOLDS(part, "assay explain ttft_ms bbbbbbbb");
  EXPECT_HOLDS(part, "assay compare aaaaaaaa $(assay run --target ");
  EXPECT_HOLDS(part, "assay compare aaaaaaaa bbbbbbbb --by-prompt");
}

}  // namespace
}  // namespace assay
