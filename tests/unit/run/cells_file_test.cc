#include "run/cells_file.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <filesystem>
#include <fstream>

#include "run/suites.h"

namespace assay {
namespace {

using testing::ElementsAre;
using testing::HasSubstr;

/// A file of its own for each test.
class CellsFile : public testing::Test {
 protected:
  std::filesystem::path write(const std::string& text, const std::string& name = "cells.yaml") {
    const auto folder = std::filesystem::path(testing::TempDir()) /
                        testing::UnitTest::GetInstance()->current_test_info()->name();
    std::filesystem::create_directories(folder);
    std::ofstream(folder / name) << text;
    return folder / name;
  }
};

TEST_F(CellsFile, TakesTheWholeDescriptionOfACell) {
  const auto cells = load_cells(write(R"(
max_rate: 2
cells:
  - node: mac
    engine: llama.cpp
    model: qwen3.5:0.8b
    endpoint: http://127.0.0.1:11436/
    route: http://127.0.0.1:9000
    cold_kind: process_warm
    digest: sha256:aa
    version: b6341
    windows: ["02:00-05:00", "23:00-00:30"]
    patterns: [warm, routed]
    expect:
      P-MEDIUM: {total_duration_ms: 30500, tokens_per_sec: 8.5, tolerance: 0.25}
)"));
  ASSERT_TRUE(cells) << cells.error().message;
  ASSERT_EQ(cells->size(), 1U);
  const DeclaredCell& declared = cells->front();
  const Cell& cell = declared.cell;
  EXPECT_EQ(cell.id, "mac:llamacpp:qwen3.5:0.8b");
  EXPECT_EQ(cell.kind, "llamacpp");
  EXPECT_EQ(cell.model, "qwen3.5:0.8b");
  EXPECT_EQ(cell.url, "http://127.0.0.1:11436");
  EXPECT_EQ(declared.route, "http://127.0.0.1:9000");
  EXPECT_EQ(declared.digest, "sha256:aa");
  EXPECT_EQ(declared.version, "b6341");
  EXPECT_EQ(cell.cold_kind, "process_warm");
  EXPECT_EQ(cell.max_rate, 2);
  ASSERT_EQ(cell.windows.size(), 2U);
  EXPECT_EQ(window_text(cell.windows[1]), "23:00-00:30");
  EXPECT_THAT(cell.patterns, ElementsAre("warm", "routed"));
  ASSERT_EQ(cell.expect.size(), 2U);
  EXPECT_EQ(cell.expect[0].metric, "e2e_ms");
  EXPECT_EQ(cell.expect[1].value, 8.5);
  EXPECT_EQ(cell.expect[1].tolerance, 0.25);
}

TEST_F(CellsFile, AMappingOfIdsNamesNodeEngineAndModelByItself) {
  const auto cells = load_cells(write(R"(
mac:ollama:qwen2.5-coder:0.5b: {endpoint: "127.0.0.1:11434"}
predator:llamacpp:qwen3.5:0.8b: {available: pending}
far:ollama:m: {available: "the disk is full", endpoint: "10.0.0.1:11434"}
)"));
  ASSERT_TRUE(cells) << cells.error().message;
  ASSERT_EQ(cells->size(), 3U);
  EXPECT_EQ((*cells)[0].cell.kind, "ollama");
  EXPECT_EQ((*cells)[0].cell.model, "qwen2.5-coder:0.5b");
  EXPECT_EQ((*cells)[0].cell.max_rate, kUsualMaxRate);
  EXPECT_EQ((*cells)[0].cell.unavailable, "");
  EXPECT_EQ((*cells)[1].cell.unavailable, "pending");
  EXPECT_EQ((*cells)[2].cell.unavailable, "the disk is full");
}

TEST_F(CellsFile, TellsEveryFaultAtOnceWithItsLine) {
  const auto path = write(R"(cells:
  - {node: mac, engine: olama, model: m, endpoint: "http://x"}
  - {node: mac, engine: ollama, model: m, endpont: "http://x"}
  - node: mac
    engine: ollama
    model: n
    endpoint: http://x
    windows: ["2-5"]
    max_rate: -1
    patterns: [hot]
    expect: {P-EASY: {tftt_ms: 5}}
  - {id: "mac:ollama", endpoint: "http://x"}
)");
  const auto cells = load_cells(path);
  ASSERT_FALSE(cells);
  const std::string& text = cells.error().message;
  for (const char* fault :
       {":2: unknown engine kind 'olama': did you mean ollama?",
        ":3: unknown key 'endpont', did you mean endpoint?", ":3: the cell has no endpoint",
        ":8: '2-5' is no window", ":9: max_rate", ":10: patterns are", ":11: there is no metric",
        ":12: 'mac:ollama' is no cell id"}) {
    EXPECT_THAT(text, HasSubstr(path.string() + fault));
  }
}

TEST_F(CellsFile, ACellTwiceIsAFault) {
  const auto cells = load_cells(write(R"(
- {node: a, engine: openai, model: m, endpoint: "http://x"}
- {node: a, engine: openai, model: m, endpoint: "http://y"}
)"));
  ASSERT_FALSE(cells);
  EXPECT_THAT(cells.error().message, HasSubstr(":3: the cell 'a:openai:m' is there twice"));
}

TEST_F(CellsFile, SelectsInTheFilesOrderAndNamesWhatIsNotThere) {
  const auto cells = load_cells(write(R"(
- {node: a, engine: openai, model: m, endpoint: "http://x"}
- {node: b, engine: openai, model: m, endpoint: "http://x"}
- {node: c, engine: openai, model: m, endpoint: "http://x"}
)"));
  ASSERT_TRUE(cells);
  const auto two = select_cells(*cells, {"c:openai:m,a:openai:m"});
  ASSERT_TRUE(two);
  ASSERT_EQ(two->size(), 2U);
  EXPECT_EQ(two->front().cell.id, "a:openai:m");
  const auto none = select_cells(*cells, {"a:openai:n"});
  ASSERT_FALSE(none);
  EXPECT_THAT(none.error().message, HasSubstr("a:openai:n"));
}

TEST_F(CellsFile, AFrozenPromptThatWasEditedIsRefusedByItsHash) {
  const auto edited = load_baseline_suite(write("P-EASY:\n  prompt: hello\n", "p.yaml").string());
  ASSERT_FALSE(edited);
  EXPECT_THAT(edited.error().message,
              HasSubstr(":1: P-EASY is frozen and has sha256 8f434346648f"));
  EXPECT_THAT(edited.error().message, HasSubstr("give it a new id"));
  const auto longer =
      load_baseline_suite(write("P-EASY: {prompt: hi, max_tokens: 65}\n", "q.yaml").string());
  ASSERT_FALSE(longer);
  EXPECT_THAT(longer.error().message, HasSubstr("max_tokens 64"));
}

TEST_F(CellsFile, NewPromptsStandBesideTheFrozenOnes) {
  const auto suite = load_baseline_suite(
      write("P-EASY:\n  intent: x\n  prompt: |\n    hi\nP-NEW1: {prompt: ho, max_tokens: 9}\n",
            "p.yaml")
          .string());
  ASSERT_TRUE(suite) << suite.error().message;
  EXPECT_TRUE(suite->cold_and_warm);
  ASSERT_EQ(suite->prompts.size(), 2U);
  EXPECT_TRUE(suite->prompts[0].frozen);
  EXPECT_EQ(suite->prompts[0].max_tokens, 64);
  EXPECT_FALSE(suite->prompts[1].frozen);
}

}  // namespace
}  // namespace assay
