#include "store/state.h"

#include <thread>

#include "store_test_support.h"

namespace assay {
namespace {

TEST(State, IsEmptyWithoutAFile) {
  const TempDir dir;
  const auto state = read_state(dir.path());
  ASSERT_TRUE(state);
  EXPECT_TRUE(state->all<Baseline>().empty());
  EXPECT_EQ(state->find<Baseline>("main"), nullptr);
}

TEST(State, TheLastFactOfANameIsTrue) {
  const TempDir dir;
  const auto add = [&](const char* name, std::optional<std::string> run) {
    ASSERT_TRUE(add_to_state(dir.path(), {Baseline{name, std::move(run), "t"}}));
  };
  add("main", "run-1");
  add("other", "run-2");
  add("main", "run-3");
  add("other", std::nullopt);  // A tombstone.
  const auto state = read_state(dir.path());
  ASSERT_EQ(state->all<Baseline>().size(), 1U);
  EXPECT_EQ(state->find<Baseline>("main")->run_id, "run-3");
  EXPECT_EQ(state->damaged_lines, 0);
}

TEST(State, KeepsNoiseFloorsByHostCellAndMetric) {
  const TempDir dir;
  const NoiseFloor one{"tower", "local:ollama:m", "ttft_ms", 0.012, 10, "t"};
  ASSERT_TRUE(add_to_state(dir.path(), {one}));
  const auto state = read_state(dir.path());
  const auto* found = state->find<NoiseFloor>(one.key());
  ASSERT_NE(found, nullptr);
  EXPECT_EQ(found->share, 0.012);
  EXPECT_EQ(found->pairs, 10);
  EXPECT_EQ(state->find<NoiseFloor>(std::tuple(std::string("other"), one.cell_id, one.metric)),
            nullptr);
}

TEST(State, EveryKindOfFactComesBackAsItWas) {
  const TempDir dir;
  const std::vector<Fact> facts{
      Baseline{"main", "run-1", "t"},
      NoiseFloor{"tower", "c", "ttft_ms", 0.5, 2, "t"},
      SeenModel{"f1", "directory", "/m", "a.gguf", "a", 12, 34, "d1", true, "t"},
      ModelFlags{"f1", true, true, "t"},
      Mark{"run-1", 3, "invalid", "the door was open", true, "t"},
      Publication{"run-1", "archive", "t"},
      RemovedRun{"run-2", "asked for", "t"},
      ModelReset{"f1", {"run-2", "run-4"}, "t"}};
  ASSERT_TRUE(add_to_state(dir.path(), facts));
  const auto state = read_state(dir.path());
  ASSERT_TRUE(state);
  EXPECT_EQ(state->damaged_lines, 0);
  size_t found = 0;
  std::apply([&](const auto&... tables) { found = (tables.size() + ...); }, state->tables);
  EXPECT_EQ(found, facts.size());
  EXPECT_EQ(state->find<SeenModel>("f1")->digest, "d1");
  EXPECT_EQ(state->find<SeenModel>("f1")->mtime_ns, 34);
  EXPECT_TRUE(state->find<ModelFlags>("f1")->benchmark);
  EXPECT_EQ(state->all<Mark>().begin()->second.leg, 3);
  EXPECT_EQ(state->find<ModelReset>("f1")->run_ids, (std::vector<std::string>{"run-2", "run-4"}));
}

TEST(State, TombstonesEndMarksAndPublications) {
  const TempDir dir;
  ASSERT_TRUE(add_to_state(
      dir.path(), {Mark{"r", {}, "invalid", "", true, "t"}, Mark{"r", 0, "invalid", "", true, "t"},
                   Publication{"r", "archive", "t"}}));
  ASSERT_TRUE(add_to_state(
      dir.path(), {Mark{"r", {}, "invalid", "", false, "t"}, Publication{"r", std::nullopt, "t"}}));
  const auto state = read_state(dir.path());
  ASSERT_EQ(state->all<Mark>().size(), 1U);
  EXPECT_EQ(state->all<Mark>().begin()->second.leg, 0);
  EXPECT_TRUE(state->all<Publication>().empty());
}

TEST(State, PassesOverWhatItDoesNotKnowAndATornTail) {
  const TempDir dir;
  spill(dir.path() / "state.jsonl",
        "{\"type\":\"of tomorrow\",\"x\":1}\nnonsense\n{\"type\":\"baseline\"}\n"
        "{\"type\":\"baseline\",\"name\":\"a\",\"run_id\":\"r\",\"at\":\"t\"}\n"
        "{\"type\":\"baseline\",\"name\":\"a\",\"ru");
  const auto state = read_state(dir.path());
  ASSERT_TRUE(state);
  EXPECT_EQ(state->find<Baseline>("a")->run_id, "r");
  EXPECT_EQ(state->damaged_lines, 2);
  // The torn tail is cut off before the next fact.
  ASSERT_TRUE(add_to_state(dir.path(), {Baseline{"b", "s", "t"}}));
  EXPECT_EQ(read_state(dir.path())->all<Baseline>().size(), 2U);
}

TEST(State, TakesFactsFromSeveralWritersAtOnce) {
  const TempDir dir;
  std::vector<std::thread> writers;
  for (int w = 0; w < 4; ++w) {
    writers.emplace_back([&, w] {
      for (int i = 0; i < 5; ++i) {
        const std::string name = std::to_string(w) + "-" + std::to_string(i);
        EXPECT_TRUE(add_to_state(dir.path(), {Baseline{name, "r", "t"}}));
      }
    });
  }
  for (std::thread& writer : writers) writer.join();
  EXPECT_EQ(read_state(dir.path())->all<Baseline>().size(), 20U);
}

}  // namespace
}  // namespace assay
