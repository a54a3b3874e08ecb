#include "reports/engine_says.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <algorithm>

#include "reports/builtin.h"
#include "reports/cold_table.h"
#include "reports/tables.h"
#include "sample_runs.h"

namespace assay {
namespace {

using synthetic::Builder;

/// One leg of six calls of 50 tokens at 20 ms a token; `change` alters what the sides say.
template <class Change>
ReportModel measured(Change&& change, Phase phase = Phase::kMeasure) {
  Builder b("speed");
  const int64_t cell = b.cell("m");
  const int64_t leg = b.leg(cell, b.prompt("tg", 32), phase);
  b.add_ok(leg, 6, {.ttft_ms = 40, .gap_ms = 20, .tokens = 50, .prompt_tokens = 32, .cached = 0});
  for (CallRecord& call : b.ledger.calls) change(call);
  return make_report_model(b.ledger);
}

const CellSummary& only_cell(const ReportModel& model) { return model.cells.front(); }

TEST(EngineSays, ThreeSidesThatAgreeCarryNoMark) {
  const ReportModel model = measured([](CallRecord& r) {
    r.usage_output_tokens = 50;
    r.engine.output_tokens = 50;
    r.engine.decode_ms = 1000;
  });
  const CellSummary& cell = only_cell(model);
  EXPECT_EQ(cell.text_events, 50);
  EXPECT_EQ(cell.usage_tokens, 50);
  EXPECT_EQ(cell.engine_tokens, 50);
  EXPECT_FALSE(cell.contradicted);
  EXPECT_EQ(engine_says_text(cell), "0.99x");
  EXPECT_EQ(contradiction_text(cell), "");
}

TEST(EngineSays, ASpeedThatTheEngineDoesNotConfirmIsMarked) {
  const ReportModel model = measured([](CallRecord& r) {
    r.engine.output_tokens = 50;
    r.engine.decode_ms = 2000;
  });
  const CellSummary& cell = only_cell(model);
  EXPECT_TRUE(cell.contradicted);
  EXPECT_EQ(engine_says_text(cell), "1.97x!");
  EXPECT_EQ(contradiction_text(cell), "tg is 49.3 tok/s here and 25.0 by the engine");
}

TEST(EngineSays, CountsThatDifferAreMarked) {
  const ReportModel model = measured([](CallRecord& r) {
    r.usage_output_tokens = 50;
    r.engine.output_tokens = 45;
    r.engine.decode_ms = 900;
  });
  EXPECT_TRUE(only_cell(model).contradicted);
  EXPECT_EQ(contradiction_text(only_cell(model)),
            "usage counts 50.0 output tokens a call, the engine 45.0");
  const ReportModel events =
      measured([](CallRecord& r) { r.usage_output_tokens = r.completion_tokens = 20; });
  EXPECT_NE(
      contradiction_text(only_cell(events)).find("50.0 events with text came a call for 20.0"),
      std::string::npos);
}

TEST(EngineSays, TokensThatNoEventBroughtAreMarked) {
  const auto with_usage = [](auto&& tokens_of) {
    int64_t nth = 0;
    return measured([&](CallRecord& r) {
      r.engine = EngineFigures();
      r.usage_output_tokens = r.completion_tokens = tokens_of(nth++);
    });
  };
  const ReportModel wrong = with_usage([](int64_t) { return 54; });
  EXPECT_EQ(only_cell(wrong).hidden_tokens, 4);
  EXPECT_EQ(engine_says_text(only_cell(wrong)), "!");
  EXPECT_EQ(contradiction_text(only_cell(wrong)),
            "usage counts 4 tokens of each call that no event brought: tg holds them");
  // The token of the answer's end, text whose bytes were held back, bundles of tokens.
  EXPECT_FALSE(only_cell(with_usage([](int64_t) { return 51; })).contradicted);
  EXPECT_FALSE(only_cell(with_usage([](int64_t n) { return 53 + n % 2; })).contradicted);
  EXPECT_FALSE(only_cell(with_usage([](int64_t) { return 100; })).contradicted);
}

TEST(EngineSays, AServersCountersStandInForItsAnswers) {
  Builder b("prompt");
  const int64_t cell = b.cell("m", "vllm");
  const int64_t leg = b.leg(cell, b.prompt("p", 32));
  b.add_ok(leg, 6, {.ttft_ms = 40, .gap_ms = 20, .tokens = 50, .prompt_tokens = 32, .cached = 0});
  for (CallRecord& call : b.ledger.calls) {
    call.engine = EngineFigures();
    call.usage_output_tokens = 50;
  }
  ServerCounters stage;
  stage.output_tokens = 300;
  stage.legs = {leg};
  b.ledger.end->leg_counters = {stage};
  ReportModel model = make_report_model(b.ledger);
  EXPECT_EQ(only_cell(model).engine_tokens, 50);
  EXPECT_FALSE(only_cell(model).contradicted);
  const Section section = comparison_section(model);
  const auto& table = std::get<Table>(section.blocks.back());
  EXPECT_EQ(table.columns.back().title, "server");
  EXPECT_EQ(table.rows.front().back().text, "0.0 %");

  b.ledger.end->leg_counters.front().output_tokens = 342;
  model = make_report_model(b.ledger);
  EXPECT_EQ(contradiction_text(only_cell(model)),
            "usage counts 50.0 output tokens a call, the engine 57.0; the server counted 342 "
            "output tokens over 6 calls and usage 300: other clients, or a wrong count");
  // A call that failed may have cost tokens: nothing is compared.
  b.ledger.calls.front().outcome = Outcome::kError;
  EXPECT_FALSE(only_cell(make_report_model(b.ledger)).server);
}

TEST(EngineSays, PromptsAskedInTurnsShareTheServersFigure) {
  Builder b("speed");
  const int64_t cell = b.cell("m", "vllm");
  const int64_t one = b.leg(cell, b.prompt("p", 32));
  const int64_t two = b.leg(cell, b.prompt("q", 64));
  for (const int64_t leg : {one, two}) b.add_ok(leg, 6, {.tokens = 50, .prompt_tokens = 32});
  for (CallRecord& call : b.ledger.calls) {
    call.engine = EngineFigures();
    call.usage_output_tokens = 50;
  }
  ServerCounters stage;
  stage.output_tokens = 600;
  stage.legs = {one, two};
  b.ledger.end->leg_counters = {stage};
  const ReportModel model = make_report_model(b.ledger);
  EXPECT_FALSE(only_cell(model).engine_tokens);
  ASSERT_TRUE(only_cell(model).server);
  EXPECT_TRUE(only_cell(model).server->pooled);
  const Section section = speed_section(model);
  EXPECT_NE(std::ranges::find(section.notes,
                              "server counts: of whole stages; prompts that were asked in turns "
                              "share one figure"),
            section.notes.end());
}

TEST(EngineSays, AnEngineThatTellsNothingIsADash) {
  const ReportModel model = measured([](CallRecord& r) { r.engine = EngineFigures(); });
  EXPECT_EQ(engine_says_text(only_cell(model)), "-");
}

TEST(EngineSays, ItsColumnIsInTheTableOfSpeeds) {
  const ReportModel model = measured([](CallRecord& r) {
    r.engine.output_tokens = 50;
    r.engine.decode_ms = 1000;
  });
  const Section section = speed_section(model);
  const auto& table = std::get<Table>(section.blocks.front());
  EXPECT_EQ(table.columns.back().title, "engine");
  EXPECT_EQ(table.rows.front().back().text, "0.99x");
}

TEST(ColdTable, PartsOfTheMeansSumToTheMeanOfTheWall) {
  int64_t n = 0;
  const ReportModel model = measured(
      [&n](CallRecord& r) {
        constexpr int64_t kMs = 1'000'000;
        ++n;
        r.cold_kind = "unload";
        r.engine.load_ms = 20 + static_cast<double>(n);
        r.at.unload_start = *r.at.sent - 2100 * kMs;
        r.at.unload_end = *r.at.unload_start + n * kMs;
        r.at.pause_end = *r.at.unload_end + 2000 * kMs;
        r.page_cache_share = 0.5;
        r.read_bytes = 3'000'000;
      },
      Phase::kCold);
  const auto table = cold_table(model);
  ASSERT_TRUE(table);
  ASSERT_EQ(table->rows.size(), 1U);
  const auto& row = table->rows.front();
  const auto number = [&](size_t column) { return std::stod(row[column].text); };
  EXPECT_EQ(row[1].text, "6");
  EXPECT_DOUBLE_EQ(number(2), 3.5);
  EXPECT_DOUBLE_EQ(number(3), 23.5);
  EXPECT_NEAR(number(2) + number(3) + number(4) + number(5) + number(6),
              std::stod(row[7].text == "-" ? "0" : [&] {
                std::string text = row[7].text;
                std::erase(text, ',');
                return text;
              }()),
              1.0);  // The wall has no decimals above 999.
  EXPECT_EQ(row[8].text, "50");
  EXPECT_EQ(row[9].text, "3.0");
  EXPECT_EQ(row[10].text, "unload");
  EXPECT_FALSE(row[0].text.ends_with("!"));
}

TEST(ColdTable, AMarkFollowsTheRowAndANoteItsGaps) {
  ReportModel model = measured(
      [](CallRecord& r) {
        r.cold_kind = "unload";
        r.cold_note = "the engine does not say which file it reads";
        r.engine.load_ms = 20;
        r.at.unload_start = r.at.unload_end = r.at.pause_end = *r.at.sent - 1;
      },
      Phase::kCold);
  ASSERT_EQ(cold_notes(model).size(), 1U);
  EXPECT_TRUE(cold_notes(model)[0].ends_with("the engine does not say which file it reads"));
  EXPECT_THAT(render_html(model, {}), testing::HasSubstr(cold_notes(model)[0]));
  model.legs[0].marks.push_back({"throttled", "1 of 6 calls"});
  EXPECT_TRUE(cold_table(model)->rows.front()[0].text.ends_with(" !"));
}

TEST(ColdTable, IsAbsentWithoutColdCalls) {
  EXPECT_FALSE(cold_table(measured([](CallRecord&) {})));
}

}  // namespace
}  // namespace assay
