#include <fmt/format.h>
#include <gtest/gtest.h>

#include "html_checks.h"
#include "reports/compare_words.h"
#include "reports/html/ratio_plot.h"
#include "reports/html/text.h"
#include "sample_comparison.h"

namespace assay {
namespace {

using synthetic::compared_run;
using synthetic::Comparison;
constexpr size_t kTenCellsLimit = 150'000;

/// Two runs of one cell, the second slower by a fifth.
Comparison slower() {
  std::vector<ReportModel> runs;
  runs.push_back(compared_run("aaaaaaaa-1", 1));
  runs.push_back(compared_run("bbbbbbbb-2", 1.2));
  return Comparison(std::move(runs));
}

bool holds(const std::string& text, std::string_view part) {
  return text.find(part) != std::string::npos;
}

TEST(CompareHtml, IsBalancedAloneAndWithoutScript) {
  const std::string html = slower().html();
  expect_balanced(html);
  expect_alone(html);
  expect_links_lead_somewhere(html);
  EXPECT_EQ(count(html, "<script"), 0U);
  EXPECT_EQ(count(html, "<table"), count(html, "<caption>"));
}

TEST(CompareHtml, SaysFirstWhichIsBetterByHowMuchAndHowSure) {
  const std::string html = slower().html();
  const std::string head = html.substr(0, html.find("<nav"));
  EXPECT_TRUE(holds(head, "<p>gemma-3-1b: the new run is worse.</p>")) << head;
  EXPECT_TRUE(holds(head, "Worse: TTFT fresh +20.0 % (95 % interval "));
  EXPECT_TRUE(holds(head, "Output speed -16."));
}

TEST(CompareHtml, NumbersAreTheStringsOfTheOtherRenderers) {
  const Comparison compared = slower();
  const std::string html = compared.html();
  const Document document = comparison_document(compared.reports[0]);
  const std::string markdown = markdown_text(document);
  const std::string console = console_text(document, {});
  size_t numbers = 0;
  for (const Block& block : document.blocks) {
    const Table* table = std::get_if<Table>(&block);
    if (table == nullptr) continue;
    for (const auto& row : table->rows) {
      for (size_t i = 1; i < row.size(); ++i) {
        if (row[i].text.find_first_of("0123456789") == std::string::npos) continue;
        ++numbers;
        EXPECT_TRUE(holds(html, ">" + html_text(row[i].text) + "<")) << row[i].text;
        EXPECT_TRUE(holds(markdown, "| " + row[i].text + " |")) << row[i].text;
        // A terminal has no room for the sides' own intervals.
        const bool of_a_side = table->columns[i].drop > 0;
        EXPECT_NE(holds(console, row[i].text), of_a_side) << row[i].text;
      }
    }
  }
  EXPECT_GT(numbers, 20U);
}

TEST(CompareHtml, ThePictureSaysNothingThatTheTextDoesNot) {
  const Comparison compared = slower();
  const std::string html = compared.html();
  const ComparedCell& cell = compared.reports[0].comparison.cells[0];
  for (const ComparedMetric& row : cell.metrics) {
    EXPECT_TRUE(holds(
        html, fmt::format("({}) {}</b>", change_interval_text(row.difference), verdict_text(row))))
        << row_label(row);
  }
  EXPECT_EQ(count(html, "<svg class=\"row\" width=\"100%\" height=\"26\" aria-hidden=\"true\">"),
            cell.metrics.size());
}

TEST(CompareHtml, SaysThatItIsWithinRunAndWhatWouldBeFound) {
  const std::string html = slower().html();
  EXPECT_TRUE(holds(html, "within-run only"));
  EXPECT_TRUE(holds(html, "smallest change of the output speed"));
  EXPECT_TRUE(holds(html, "assay doctor --noise"));
}

TEST(CompareHtml, ANoiseFloorIsShadedAndTakesTheWarningAway) {
  CompareOptions options;
  options.floor = [](std::string_view, std::string_view) { return std::optional(0.02); };
  std::vector<ReportModel> runs;
  runs.push_back(compared_run("aaaaaaaa-1", 1));
  runs.push_back(compared_run("bbbbbbbb-2", 1.2));
  const std::string html = Comparison(std::move(runs), options).html();
  EXPECT_TRUE(holds(html, "<rect class=\"noise\""));
  EXPECT_TRUE(holds(html, "noise floor of this machine: TTFT fresh 2.0 %"));
  EXPECT_FALSE(holds(html, "within-run only"));
}

TEST(CompareHtml, DifferencesComeFirstAndWhatIsTheSameIsFolded) {
  const std::string html = slower().html();
  const size_t differs = html.find("<td class=\"l\">b6341</td>");
  const size_t same = html.find("the same in all runs</summary>");
  ASSERT_NE(differs, std::string::npos);
  ASSERT_NE(same, std::string::npos);
  EXPECT_LT(differs, same);
}

TEST(CompareHtml, AnUnclearComparisonSaysHowManyMoreAndHow) {
  std::vector<ReportModel> runs;
  runs.push_back(compared_run("aaaaaaaa-1", 1, 1, 8, 0.4));
  runs.push_back(compared_run("bbbbbbbb-2", 1.08, 1, 8, 0.4));
  const Comparison compared(std::move(runs));
  const std::string html = compared.html();
  EXPECT_TRUE(holds(html, "whether the new run is better is unclear")) << html.substr(3000, 3000);
  EXPECT_TRUE(holds(html, "more repetitions a side would settle it"));
  EXPECT_TRUE(holds(html,
                    "assay compare $(assay run --target http&#58;//h:1 --prompt sky "
                    "--repetitions "));
  EXPECT_FALSE(holds(html, "x.html"));
}

TEST(CompareHtml, CellsThatCannotBeComparedHaveTheirReason) {
  std::vector<ReportModel> runs;
  runs.push_back(compared_run("aaaaaaaa-1", 1, 3));
  runs.push_back(compared_run("bbbbbbbb-2", 1.2, 2));
  const std::string html = Comparison(std::move(runs)).html();
  EXPECT_TRUE(holds(html, "<li>qwen2.5-2: only the base has this cell</li>"));
  EXPECT_TRUE(holds(html, "3 cells: 2 worse, 1 not comparable."));
}

TEST(CompareHtml, FewCallsAreNoVerdict) {
  std::vector<ReportModel> runs;
  runs.push_back(compared_run("aaaaaaaa-1", 1, 2, 2));
  runs.push_back(compared_run("bbbbbbbb-2", 1.2, 2, 2));
  const std::string html = Comparison(std::move(runs)).html();
  EXPECT_TRUE(holds(html, "2 cells: 2 with too few calls."));
  EXPECT_TRUE(holds(html, "? few calls</b>"));
  EXPECT_FALSE(holds(html, "assay baseline set"));
}

TEST(CompareHtml, SeveralRunsAreColumnsAgainstTheBase) {
  std::vector<ReportModel> runs;
  runs.push_back(compared_run("aaaaaaaa-1", 1));
  runs.push_back(compared_run("bbbbbbbb-2", 1.2));
  runs.push_back(compared_run("cccccccc-3", 0.8));
  const std::string html = Comparison(std::move(runs)).html();
  expect_balanced(html);
  EXPECT_TRUE(holds(html, "2 runs against aaaaaaaa"));
  EXPECT_TRUE(holds(html, "<th scope=\"col\">bbbbbbbb<small>95 % int.</small></th>"));
  EXPECT_TRUE(holds(html, "<th scope=\"col\">cccccccc<small>95 % int.</small></th>"));
  EXPECT_TRUE(holds(html, "TTFT fresh · cccccccc"));
}

TEST(CompareHtml, RunsAtSeveralConcurrenciesArePlottedAndTabled) {
  std::vector<ReportModel> runs;
  for (const int64_t concurrency : {1, 4}) {
    synthetic::Builder b("prompt");
    b.ledger.meta.run_id = concurrency == 1 ? "aaaaaaaa-1" : "bbbbbbbb-2";
    const int64_t leg = b.leg(b.cell("m"), b.prompt("p"));
    b.ledger.meta.legs[0].concurrency = concurrency;
    b.add_ok(leg, 8, {.ttft_ms = 50.0 * static_cast<double>(concurrency), .cached = 0}, 0);
    runs.push_back(make_report_model(std::move(b.ledger)));
  }
  const std::string html = Comparison(std::move(runs)).html();
  expect_balanced(html);
  EXPECT_TRUE(holds(html, "<td>4</td>"));
  EXPECT_TRUE(holds(html, "<td>200.0</td>"));
  EXPECT_TRUE(holds(html, ">4<tspan> at once · bbbbbbbb</tspan></text>"));
  EXPECT_TRUE(holds(html, "<td class=\"l\">4</td>")) << "what differs";
}

TEST(CompareHtml, EveryVariantOfOneRunStandsAgainstTheFirst) {
  synthetic::Builder b("prompt");
  const int64_t prompt = b.prompt("p");
  for (const auto& [variant, slower] :
       {std::pair{"base", 1.0}, std::pair{"threads-4", 1.2}, std::pair{"threads-8", 0.8}}) {
    const int64_t cell = b.cell(std::string("m-") + variant);
    b.ledger.meta.cells.back().variant = variant;
    b.add_ok(b.leg(cell, prompt), 8, {.ttft_ms = 100 * slower, .gap_ms = 20 * slower, .cached = 0});
  }
  const ReportModel model = make_report_model(std::move(b.ledger));
  ComparisonReport report;
  report.base = report.now = model.meta;
  report.tolerance = 0.03;
  report.comparison = compare_variants({&model.meta, &model.legs}, {});
  const std::string html = comparison_html({report}, {&model});
  expect_balanced(html);
  EXPECT_TRUE(holds(html, "threads-4: this variant is worse."));
  EXPECT_TRUE(holds(html, "threads-8: this variant is better."));
  EXPECT_TRUE(holds(html, "<caption>threads-4</caption>"));
  EXPECT_TRUE(holds(html, "<caption>threads-8</caption>"));
  EXPECT_TRUE(holds(html, "in pairs of repetitions"));
  EXPECT_TRUE(holds(html, "assay compare 01234567 --by-prompt"));
}

TEST(CompareHtml, TenCellsStayWithinTheirSize) {
  std::vector<ReportModel> runs;
  runs.push_back(compared_run("aaaaaaaa-1", 1, 10));
  runs.push_back(compared_run("bbbbbbbb-2", 1.2, 10));
  const std::string html = Comparison(std::move(runs)).html();
  EXPECT_LT(html.size(), kTenCellsLimit);
  expect_balanced(html);
}

TEST(CompareHtml, TextOfOthersIsNoMarkup) {
  const std::string hostile =
      "<script>alert(1)</script>\"'&amp;</style>\x1b[2J http://evil.example/x";
  std::vector<ReportModel> runs;
  for (const char* id : {"aaaaaaaa-1", "bbbbbbbb-2"}) {
    ReportModel run = compared_run(id, 1);
    for (Cell& cell : run.meta.cells) cell.model = cell.version = cell.digest = id + hostile;
    for (LegResult& leg : run.legs) leg.prompt_id += hostile;
    for (Prompt& prompt : run.meta.prompts) prompt.id += hostile;
    run.meta.host = id + hostile;
    run.meta.options_json = R"({"prompt":"</script>"})";
    runs.push_back(std::move(run));
  }
  const std::string html = Comparison(std::move(runs)).html();
  EXPECT_EQ(html.find("<script"), std::string::npos);
  EXPECT_EQ(count(html, "</style>"), 1U);
  expect_alone(html);
  expect_balanced(html);
}

TEST(RatioAxis, IsLogarithmicAndHoldsWhatItShows) {
  RatioRow row{"m", "", 1.0, Interval{0.5, 40}, {}, false};
  const RatioAxis axis = ratio_axis({{"", {row}}}, 0.03);
  EXPECT_TRUE(axis.holds(1.0));
  EXPECT_FALSE(axis.holds(40));
  EXPECT_EQ(axis.percent(40), 100);
  EXPECT_NEAR(axis.percent(1) - axis.percent(0), axis.percent(3) - axis.percent(1), 1e-9);
}

}  // namespace
}  // namespace assay
