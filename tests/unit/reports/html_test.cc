#include <gtest/gtest.h>

#include <algorithm>
#include <nlohmann/json.hpp>

#include "golden.h"
#include "html_checks.h"
#include "reports/builtin.h"
#include "reports/document.h"
#include "reports/html/answers.h"
#include "reports/html/axis.h"
#include "reports/html/data.h"
#include "reports/html/text.h"
#include "sample_runs.h"

namespace assay {
namespace {

constexpr size_t kTenCellsLimit = 150'000;

struct Sample {
  std::string name;
  LedgerContent (*make)();
};
const Sample kSamples[]{{"speed", synthetic::speed_run},
                        {"prompt", synthetic::prompt_run},
                        {"cells", synthetic::cells_run}};

std::string html_of(LedgerContent ledger) {
  return render_html(make_report_model(std::move(ledger)), {});
}

/// `cells` cells of the suite `speed`, each with a leg more than it has prompts and ten calls a
/// leg.
LedgerContent large_run(int cells, int64_t calls, int64_t tokens) {
  synthetic::Builder b("speed");
  std::vector<int64_t> prompts;
  for (const int64_t length : {40, 512, 4096}) {
    prompts.push_back(b.prompt("tg128@d" + std::to_string(length), length));
  }
  for (int i = 0; i < cells; ++i) {
    const int64_t cell = b.cell("qwen2.5-1.5b-instruct-q4_k_m-" + std::to_string(i));
    for (const int64_t prompt : {prompts[0], prompts[1], prompts[2], prompts[0]}) {
      b.add_ok(b.leg(cell, prompt), calls,
               {.ttft_ms = 150.0 + 10 * i, .gap_ms = 20.0 + i, .tokens = tokens, .cached = 0}, 0.1);
    }
  }
  return b.ledger;
}

TEST(Html, IsBalancedAndAlone) {
  for (const Sample& sample : kSamples) {
    const std::string html = html_of(sample.make());
    expect_balanced(html);
    expect_alone(html);
    EXPECT_EQ(count(html, "<script"), 1U);
  }
}

TEST(Html, LinksAndButtonsLeadSomewhere) {
  for (const Sample& sample : kSamples) expect_links_lead_somewhere(html_of(sample.make()));
}

TEST(Html, NumbersAreTheStringsOfConsoleAndMarkdown) {
  for (const Sample& sample : kSamples) {
    const ReportModel model = make_report_model(sample.make());
    const std::string html = render_html(model, {});
    const std::string markdown = render_markdown(model, {});
    RenderOptions wide;  // Narrow ones leave columns out.
    wide.width = 200;
    const std::string console = render_console(model, wide);
    size_t numbers = 0;
    for (const Block& block : make_document(model).blocks) {
      const Table* table = std::get_if<Table>(&block);
      if (table == nullptr) continue;
      for (const auto& row : table->rows) {
        for (size_t i = 1; i < row.size(); ++i) {
          const std::string& text = row[i].text;
          if (text.find_first_of("0123456789") == std::string::npos) continue;
          ++numbers;
          EXPECT_NE(html.find(">" + html_text(text) + "<"), std::string::npos) << text;
          // Markdown's escapes of an estimate's mark and of a lower bound's.
          const std::string marked = text.starts_with('~')   ? "\\" + text
                                     : text.starts_with('>') ? "&gt;" + text.substr(1)
                                                             : text;
          const std::string range = row[i].range.empty() ? "" : " (" + row[i].range + ")";
          EXPECT_NE(markdown.find("| " + marked + range + " |"), std::string::npos) << marked;
          EXPECT_NE(console.find(text), std::string::npos) << text;
        }
      }
    }
    EXPECT_GT(numbers, 5U) << sample.name;
  }
}

TEST(Html, IntervalsOfPercentilesAreTheSameStringsEverywhere) {
  const ReportModel model = make_report_model(synthetic::prompt_run());
  const std::string html = render_html(model, {});
  const std::string markdown = render_markdown(model, {});
  RenderOptions wide;
  wide.width = 120;
  const std::string console = render_console(model, wide);
  const std::string narrow = render_console(model, {});
  size_t ranges = 0;
  size_t estimates = 0;
  for (const Block& block : make_document(model).blocks) {
    const Table* table = std::get_if<Table>(&block);
    if (table == nullptr) continue;
    for (const auto& row : table->rows) {
      for (const TableCell& cell : row) {
        // A value either has its interval or is an estimate that says how many calls it needs.
        EXPECT_TRUE(cell.range.empty() || cell.needs == 0);
        estimates += cell.needs > 0 ? 1 : 0;
        if (cell.range.empty()) continue;
        ++ranges;
        EXPECT_NE(html.find(">" + cell.text + "<small>" + cell.range + "</small></td>"),
                  std::string::npos)
            << cell.range;
        EXPECT_NE(markdown.find("| " + cell.text + " (" + cell.range + ") |"), std::string::npos)
            << cell.range;
        EXPECT_NE(console.find(cell.range), std::string::npos) << cell.range;
        EXPECT_EQ(narrow.find(cell.range), std::string::npos) << cell.range;
      }
    }
  }
  EXPECT_GE(ranges, 8U);     // p50 and p90 of four metrics at least.
  EXPECT_GE(estimates, 8U);  // p95 and p99 of them.
}

TEST(Html, TextOfOthersIsNoMarkup) {
  const std::string hostile =
      "<script>alert(1)</script>\"]]>'&amp;</style>\x01\x1b[2J\u202egpj.exe http://evil.example/x";
  LedgerContent ledger = synthetic::cells_run();
  for (Cell& cell : ledger.meta.cells) {
    for (std::string* text : {&cell.model, &cell.version, &cell.quantization, &cell.digest,
                              &cell.unavailable, &cell.kind, &cell.url}) {
      *text = hostile;
    }
  }
  for (Prompt& prompt : ledger.meta.prompts) prompt.id += hostile;
  for (CallRecord& call : ledger.calls) {
    if (call.error) call.error = hostile;
    call.prompt_id += hostile;
  }
  ledger.meta.notes = {hostile};
  ledger.meta.labels = {hostile};
  ledger.meta.host = ledger.meta.run_id = ledger.meta.suite_rev = hostile;
  ledger.meta.options_json = R"({"model":["<b>","a'b"],"prompt":"</script>"})";
  const std::string html = html_of(std::move(ledger));
  EXPECT_EQ(html.find("<script>"), std::string::npos);
  EXPECT_EQ(count(html, "</script>"), 1U);
  EXPECT_EQ(count(html, "</style>"), 1U);
  EXPECT_EQ(html.find("\u202e"), std::string::npos);
  EXPECT_EQ(html.find("://"), std::string::npos);
  EXPECT_TRUE(std::all_of(html.begin(), html.end(),
                          [](char c) { return c == '\n' || static_cast<unsigned char>(c) >= 32; }));
  expect_balanced(html);
}

TEST(Html, TenCellsStayWithinTheirSize) {
  const std::string html = html_of(large_run(10, 10, 128));
  EXPECT_LT(html.size(), kTenCellsLimit);
  expect_balanced(html);
  for (int i = 0; i < 10; ++i) {
    EXPECT_NE(html.find("<h3>qwen2.5-1.5b-instruct-q4_k_m-" + std::to_string(i)),
              std::string::npos);
  }
  EXPECT_NE(html.find("Pictures are left out here"), std::string::npos);
}

TEST(Html, ManyCallsAreCountedAndNotAllDrawn) {
  synthetic::Builder b("prompt");
  b.add_ok(b.leg(b.cell("m"), b.prompt("p")), 3000, {.tokens = 200, .cached = 0});
  const std::string html = html_of(b.ledger);
  EXPECT_LT(html.size(), kTenCellsLimit);
  EXPECT_NE(html.find("of 3,000 calls drawn"), std::string::npos);
}

TEST(Html, SaysWhyCallsGaveNothing) {
  const std::string html = html_of(synthetic::prompt_run());
  EXPECT_NE(html.find("✕ error<tspan>: connection reset by peer"), std::string::npos);
  EXPECT_NE(html.find("<td class=\"l\">connection reset by peer</td>"), std::string::npos);
  EXPECT_NE(html.find("<td class=\"l\">budget</td>"), std::string::npos);
}

TEST(Html, SaysWhatIsUnreliableAndWhatToDo) {
  LedgerContent ledger = synthetic::prompt_run();
  for (CallRecord& r : ledger.calls) r.client_coalesced = r.text_events;
  const std::string html = html_of(std::move(ledger));
  EXPECT_NE(html.find("<h2>Unreliable: read the figures with care</h2>"), std::string::npos);
  EXPECT_NE(html.find("✕ failed"), std::string::npos);
  EXPECT_NE(html.find("measurement NOT ok"), std::string::npos);
  EXPECT_NE(html.find("gaps between tokens are blurred"), std::string::npos);
}

TEST(Html, ConcurrenciesOfAPromptGetAPlot) {
  synthetic::Builder b("synthetic");
  const int64_t cell = b.cell("m");
  const int64_t prompt = b.prompt("p");
  for (const int64_t concurrency : {1, 4, 16}) {
    const int64_t leg = b.leg(cell, prompt);
    b.ledger.meta.legs[static_cast<size_t>(leg)].concurrency = concurrency;
    b.add_ok(leg, 8, {.ttft_ms = 50.0 * static_cast<double>(concurrency), .cached = 0});
  }
  const std::string html = html_of(b.ledger);
  EXPECT_NE(html.find("throughput, tok/s, over median TTFT, ms"), std::string::npos);
  EXPECT_NE(html.find(">16<tspan> at once</tspan>"), std::string::npos);
}

TEST(HtmlData, IsTheJsonReportWhereItFits) {
  const ReportModel model = make_report_model(synthetic::prompt_run());
  const std::string island = data_island(model);
  const size_t from = island.find('>') + 1;
  const auto data = nlohmann::json::parse(island.substr(from, island.rfind("</script>") - from));
  EXPECT_EQ(data, nlohmann::json::parse(render_json(model, {})));
}

TEST(HtmlData, NamesWhatItLeavesOut) {
  const std::string island = data_island(make_report_model(large_run(40, 6, 20)));
  EXPECT_LT(island.size(), kMaxDataBytes + 100);
  const size_t from = island.find('>') + 1;
  const auto data = nlohmann::json::parse(island.substr(from, island.rfind("</script>") - from));
  EXPECT_EQ(data["schema"], "assay.run/1");
  EXPECT_GE(data["left_out"].size(), 2U);
}

TEST(Answers, SayWhichIsFasterOnlyWhereIntervalsAreApart) {
  const auto answers_for = [](double gap_ms) {
    synthetic::Builder b("synthetic");
    const int64_t prompt = b.prompt("p");
    b.add_ok(b.leg(b.cell("one"), prompt), 8, {.gap_ms = 10, .tokens = 64, .cached = 0}, 0.05);
    b.add_ok(b.leg(b.cell("two"), prompt), 8, {.gap_ms = gap_ms, .tokens = 64, .cached = 0}, 0.05);
    return answers_of(make_report_model(b.ledger));
  };
  EXPECT_NE(answers_for(30)[0].find("one (99."), std::string::npos) << answers_for(30)[0];
  EXPECT_NE(answers_for(30)[0].find("is the fastest"), std::string::npos);
  EXPECT_NE(answers_for(30)[1].find("do not touch"), std::string::npos);
  EXPECT_NE(answers_for(10.01)[0].find("Which is fastest is unclear"), std::string::npos);
}

TEST(Answers, EveryCheckHasItsQuestionAndWhatToDo) {
  std::vector<std::string_view> names{"arrivals_late", "arrivals_rate", "calibration"};
  for (const Sample& sample : kSamples) {
    const ReportModel model = make_report_model(sample.make());
    for (const Check& check : model.measurement.checks) names.push_back(check.name);
  }
  EXPECT_GT(names.size(), 10U);
  for (const std::string_view name : names) {
    const CheckWords* words = words_of_check(name);
    ASSERT_NE(words, nullptr) << name;
    EXPECT_FALSE(words->asks.empty() || words->remedy.empty()) << name;
  }
}

TEST(Answers, TheCommandThatRepeatsIsQuotedForTheShell) {
  RunMeta meta;
  meta.options_json =
      R"({"target":["http://h:1"],"model":["*","it's"],"repetitions":"5","quiet":"true"})";
  EXPECT_EQ(repeat_command(meta),
            R"(assay run --target http://h:1 --model '*' --model 'it'\''s' --repetitions 5)");
  meta.options_json = R"({"prompt":"two\nlines"})";
  EXPECT_EQ(repeat_command(meta), "");
}

TEST(Axis, TicksAreRoundAndFew) {
  const auto ticks = ticks_of({0, 210}, 5);
  ASSERT_EQ(ticks.size(), 5U);
  EXPECT_EQ(ticks[4].text, "200");
  EXPECT_EQ(ticks_of({47.91, 48.4}, 4)[0].text, "48.0");
  EXPECT_TRUE(ticks_of({1, 1}, 5).empty());
}

}  // namespace
}  // namespace assay
