#include <gtest/gtest.h>

#include <algorithm>
#include <nlohmann/json.hpp>

#include "base/text.h"
#include "golden.h"
#include "reports/builtin.h"
#include "reports/csv.h"
#include "reports/layout.h"
#include "sample_runs.h"

namespace assay {
namespace {

struct Sample {
  std::string name;
  LedgerContent (*make)();
};
const Sample kSamples[]{{"speed", synthetic::speed_run},
                        {"prompt", synthetic::prompt_run},
                        {"cells", synthetic::cells_run}};

RenderOptions with_lines() {
  RenderOptions options;
  options.saved = "runs/01234567/run.jsonl";
  options.next = {"assay compare baseline 01234567", "assay report 01234567 -o run.md"};
  return options;
}

std::vector<std::string> lines_of(std::string_view text) {
  std::vector<std::string> lines;
  while (!text.empty()) {
    const size_t end = std::min(text.find('\n'), text.size());
    lines.emplace_back(text.substr(0, end));
    text.remove_prefix(std::min(end + 1, text.size()));
  }
  return lines;
}

TEST(Reports, MatchTheirGoldenFiles) {
  for (const Sample& sample : kSamples) {
    const ReportModel model = make_report_model(sample.make());
    expect_golden(sample.name + ".txt", render_console(model, with_lines()));
    expect_golden(sample.name + ".md", render_markdown(model, with_lines()));
    RenderOptions ascii = with_lines();
    ascii.glyphs = RenderOptions::Glyphs::kAscii;
    expect_golden(sample.name + ".ascii.txt", render_console(model, ascii));
  }
  const ReportModel speed = make_report_model(synthetic::speed_run());
  expect_golden("speed.json", render_json(speed, {}));
  const ReportModel prompt = make_report_model(synthetic::prompt_run());
  expect_golden("prompt.json", render_json(prompt, {}));
  expect_golden("prompt.csv", render_csv(prompt, {}));
}

TEST(Reports, TheSameLedgerGivesTheSameBytes) {
  for (const Sample& sample : kSamples) {
    const ReportModel once = make_report_model(sample.make());
    const ReportModel twice = make_report_model(sample.make());
    for (const Report& report : reports()) {
      EXPECT_EQ(report.render(once, {}), report.render(twice, {})) << report.name;
    }
  }
}

TEST(Reports, NoEscapeByteWithoutColour) {
  for (const Sample& sample : kSamples) {
    const ReportModel model = make_report_model(sample.make());
    for (const Report& report : reports()) {
      const std::string text = report.render(model, {});
      EXPECT_EQ(text.find('\x1b'), std::string::npos) << report.name;
    }
  }
}

TEST(Reports, AreFoundByNameAndExtension) {
  EXPECT_EQ(find_report("json")->render, render_json);
  EXPECT_EQ(find_report_for("a/run.md")->name, "md");
  EXPECT_EQ(find_report_for("run.txt"), nullptr);
  EXPECT_EQ(find_report("xml"), nullptr);
}

TEST(Reports, AnEmptyLedgerIsARunInWhichNothingHappened) {
  const ReportModel model = make_report_model({});
  for (const Report& report : reports()) EXPECT_FALSE(report.render(model, {}).empty());
  const auto json = nlohmann::json::parse(render_json(model, {}));
  EXPECT_EQ(json["state"], "interrupted");
  EXPECT_EQ(json["unreliable"][0]["code"], "interrupted");
}

TEST(Console, StaysWithin77Columns) {
  for (const Sample& sample : kSamples) {
    const ReportModel model = make_report_model(sample.make());
    for (const auto glyphs : {RenderOptions::Glyphs::kUtf8, RenderOptions::Glyphs::kAscii}) {
      RenderOptions options = with_lines();
      options.glyphs = glyphs;
      for (const std::string& line : lines_of(render_console(model, options))) {
        EXPECT_LE(display_width(line), kConsoleWidth) << line;
      }
    }
  }
}

TEST(Console, StaysWithin77ColumnsWhateverItIsGiven) {
  LedgerContent ledger = synthetic::speed_run();
  const std::string monster =
      std::string(300, 'm') + "模型模型\u202e\x1b[2J" + std::string(300, 'x');
  for (Cell& cell : ledger.meta.cells) cell.model = monster;
  for (CallRecord& r : ledger.calls) {
    if (r.at.first_text) *r.at.first_text += 50'000'000'000'000;
    if (r.at.first_visible) *r.at.first_visible += 50'000'000'000'000;
    if (r.at.last_text) *r.at.last_text = *r.at.first_text + 1'000'000;
    r.error = monster;
  }
  ledger.meta.notes = {monster};
  ledger.meta.host = monster;
  for (const char* suite : {"speed", "synthetic"}) {
    ledger.meta.suite = suite;
    const std::string text = render_console(make_report_model(ledger), {});
    EXPECT_EQ(text.find('\x1b'), std::string::npos);
    for (const std::string& line : lines_of(text)) {
      EXPECT_LE(display_width(line), kConsoleWidth) << line;
    }
  }
}

TEST(Console, AsciiHasNothingElse) {
  RenderOptions options;
  options.glyphs = RenderOptions::Glyphs::kAscii;
  for (const Sample& sample : kSamples) {
    const std::string text = render_console(make_report_model(sample.make()), options);
    EXPECT_TRUE(std::all_of(text.begin(), text.end(),
                            [](char c) { return c == '\n' || (c >= 0x20 && c < 0x7f); }));
  }
}

TEST(Console, ColourChangesNoText) {
  RenderOptions options;
  options.colour = RenderOptions::Colour::kOn;
  const ReportModel model = make_report_model(synthetic::prompt_run());
  std::string text = render_console(model, options);
  EXPECT_NE(text.find('\x1b'), std::string::npos);
  for (size_t at = 0; (at = text.find('\x1b', at)) != std::string::npos;) {
    text.erase(at, text.find('m', at) - at + 1);
  }
  EXPECT_EQ(text, render_console(model, {}));
}

TEST(Console, NumbersAreTheStringsOfMarkdown) {
  const ReportModel model = make_report_model(synthetic::speed_run());
  const std::string console = render_console(model, {});
  const std::string markdown = render_markdown(model, {});
  const Metric& speed = *find_metric("decode_tps");
  for (const CellSummary& cell : model.cells) {
    if (!cell.tg_tps) continue;
    EXPECT_NE(console.find(metric_text(speed, cell.tg_tps)), std::string::npos);
    EXPECT_NE(markdown.find(metric_text(speed, cell.tg_tps)), std::string::npos);
  }
}

TEST(Console, SaysWhatIsWrongWithTheMeasurement) {
  LedgerContent ledger = synthetic::prompt_run();
  for (CallRecord& r : ledger.calls) r.client_coalesced = r.text_events;
  const std::string text = render_console(make_report_model(std::move(ledger)), {});
  EXPECT_NE(text.find("measurement NOT ok: coalesced_share 1 (limit 0.05)"), std::string::npos);
  EXPECT_NE(text.find("unreliable: coalesced"), std::string::npos);
}

TEST(Console, FewCallsAreMarkedAsEstimates) {
  synthetic::Builder b("speed");
  const int64_t leg = b.leg(b.cell("m"), b.prompt("p"));
  b.add_ok(leg, 3, {.ttft_ms = 100, .tokens = 64, .cached = 0}, 0);
  const std::string text = render_console(make_report_model(b.ledger), {});
  EXPECT_NE(text.find("~100.0"), std::string::npos) << text;
  EXPECT_NE(text.find("m: no interval for tok/s: fewer than 6 calls"), std::string::npos);
  EXPECT_NE(text.find("~ marks estimates: a p50 needs 6 calls"), std::string::npos);
  EXPECT_EQ(text.find("50.0 ±"), std::string::npos);
}

TEST(Console, OneChunkAnswersHaveNoSpeed) {
  synthetic::Builder b("prompt");
  const int64_t leg = b.leg(b.cell("m"), b.prompt("p"));
  b.add_ok(leg, 8, {.tokens = 1});
  const ReportModel model = make_report_model(b.ledger);
  EXPECT_EQ(render_console(model, {}).find("Output speed"), std::string::npos);
  EXPECT_FALSE(model.cells[0].tg_tps);
}

TEST(Json, HasItsKeysInOrderAndNullForAbsent) {
  const auto json =
      nlohmann::ordered_json::parse(render_json(make_report_model(synthetic::prompt_run()), {}));
  std::vector<std::string> keys;
  for (const auto& [key, value] : json.items()) keys.push_back(key);
  EXPECT_EQ(keys, (std::vector<std::string>{
                      "schema",         "run_id",       "state",   "suite",     "imported",
                      "started_at_utc", "host",         "cells",   "notes",     "unreliable",
                      "measurement",    "instrument",   "warmup",  "legs",      "cells_summary",
                      "preflight",      "environment",  "routing", "telemetry", "same_weights",
                      "headcount",      "heat_bands_c", "cooling", "stopped_by"}));
  EXPECT_EQ(json["schema"], "assay.run/1");
  const auto& cold = json["legs"][1];
  EXPECT_EQ(cold["phase"], "cold");
  EXPECT_FALSE(cold["metrics"].contains("decode_tps"));  // Ten tokens are too few.
  EXPECT_TRUE(cold["metrics"]["ttft_ms"]["ci95"].is_null());
  EXPECT_EQ(cold["metrics"]["ttft_ms"]["low_n"].size(), 4U);
  const auto& bad = json["legs"][2];
  EXPECT_EQ(bad["failed"], 1);
  EXPECT_TRUE(bad["prompt_tokens"].is_null());
  EXPECT_TRUE(bad["aggregate_tps"].is_null());
  EXPECT_TRUE(bad["metrics"].empty());
}

TEST(Csv, HasOneRowPerRecordAndDerivedColumnsLast) {
  const LedgerContent ledger = synthetic::prompt_run();
  const size_t records = ledger.calls.size();
  const std::string csv = render_csv(make_report_model(ledger), {});
  const auto lines = lines_of(csv);
  ASSERT_EQ(lines.size(), records + 1);
  EXPECT_TRUE(lines[0].starts_with("cell_id,prompt_id,phase,run_idx,first_delta_ms"));
  EXPECT_TRUE(
      lines[0].ends_with(",ttft_ms,ttfv_ms,decode_tps,e2e_ms,cpu_pkg_j,cpu_pkg_net_j,gpu_j,"
                         "gpu_net_j,energy_attributed,energy_missing\r"))
      << lines[0];
  EXPECT_TRUE(lines[records].ends_with(",,,,,,,,,not_sampled\r")) << lines[records];
}

TEST(Csv, TextIsQuotedAndNoFormula) {
  EXPECT_EQ(csv_text("plain"), "plain");
  EXPECT_EQ(csv_text("a,b"), "\"a,b\"");
  EXPECT_EQ(csv_text("say \"hi\""), "\"say \"\"hi\"\"\"");
  EXPECT_EQ(csv_text("=1+1"), "'=1+1");
  EXPECT_EQ(csv_text("@SUM(A1,A2)"), "\"'@SUM(A1,A2)\"");
  EXPECT_EQ(csv_text("-cmd"), "'-cmd");
  EXPECT_EQ(csv_text("+x"), "'+x");
  EXPECT_EQ(csv_text("-5.25"), "-5.25");
  EXPECT_EQ(csv_text("+3e4"), "+3e4");
  EXPECT_EQ(csv_text("\t=x"), "'=x");
  EXPECT_EQ(csv_text("two\nlines"), "two lines");
}

TEST(Markdown, TextOfOthersIsNoMarkup) {
  const std::string text = render_markdown(make_report_model(synthetic::prompt_run()), {});
  EXPECT_EQ(text.find("<script>"), std::string::npos);
  EXPECT_EQ(text.find("*HARD*"), std::string::npos);
  EXPECT_NE(text.find("P\\|&lt;b&gt;\\*HARD\\*"), std::string::npos);
  EXPECT_EQ(text.find("\n# not"), std::string::npos);
}

TEST(Layout, CountsColumnsAsATerminalDoes) {
  EXPECT_EQ(display_width("abc"), 3U);
  EXPECT_EQ(display_width("± é"), 3U);
  EXPECT_EQ(display_width("模型"), 4U);
  EXPECT_EQ(display_width("e\u0301"), 1U);
  EXPECT_EQ(safe_text("a\u202eb\x1b[1m", RenderOptions::Glyphs::kUtf8), "ab[1m");
  EXPECT_EQ(safe_text("1 ± 2 模…", RenderOptions::Glyphs::kAscii), "1 +- 2 ?...");
}

TEST(Layout, LongNamesLoseTheirMiddle) {
  EXPECT_EQ(fit_middle("qwen2.5-1.5b-q4_k_m", 11, RenderOptions::Glyphs::kUtf8), "qwen2…4_k_m");
  EXPECT_EQ(fit_middle("short", 11, RenderOptions::Glyphs::kUtf8), "short");
  EXPECT_EQ(display_width(fit_middle("模型模型模型", 5, RenderOptions::Glyphs::kUtf8)), 5U);
}

TEST(Layout, WrapsAtSpacesAndBreaksWordsThatHaveNone) {
  EXPECT_EQ(wrap("aa bb cc", 5, 1), (std::vector<std::string>{"aa bb", " cc"}));
  for (const std::string& line : wrap(std::string(200, 'x'), 77, 4)) {
    EXPECT_LE(line.size(), 77U);
  }
}

TEST(Throughput, OfALegWithTwoPrefixStatesSaysThatItIsOfBoth) {
  const auto text_with = [](std::optional<int64_t> cached_of_some) {
    synthetic::Builder b("prompt");
    const int64_t leg = b.leg(b.cell("m"), b.prompt("p"));
    b.add_ok(leg, 8, {.prompt_tokens = 100, .cached = 0});
    b.add_ok(leg, 6, {.prompt_tokens = 100, .cached = cached_of_some});
    return render_console(make_report_model(b.ledger), {});
  };
  EXPECT_NE(text_with(90).find("req/s, all prefix states"), std::string::npos) << text_with(90);
  EXPECT_EQ(text_with(0).find("all prefix states"), std::string::npos);
}

}  // namespace
}  // namespace assay
