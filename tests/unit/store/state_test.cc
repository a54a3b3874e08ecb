#include "store/state.h"

#include <thread>

#include "store_test_support.h"

namespace assay {
namespace {

TEST(State, IsEmptyWithoutAFile) {
  const TempDir dir;
  const auto state = read_state(dir.path());
  ASSERT_TRUE(state);
  EXPECT_TRUE(state->baselines.empty());
  EXPECT_EQ(state->floor("h", "c", "m"), nullptr);
}

TEST(State, TheLastFactOfANameIsTrue) {
  const TempDir dir;
  const auto add = [&](const char* name, const char* run) {
    ASSERT_TRUE(add_to_state(dir.path(), std::vector<Baseline>{{name, run, "t"}}));
  };
  add("main", "run-1");
  add("other", "run-2");
  add("main", "run-3");
  add("other", "");  // A tombstone.
  const auto state = read_state(dir.path());
  ASSERT_EQ(state->baselines.size(), 1U);
  EXPECT_EQ(state->baselines.at("main").run_id, "run-3");
  EXPECT_EQ(state->damaged_lines, 0);
}

TEST(State, KeepsNoiseFloorsByHostCellAndMetric) {
  const TempDir dir;
  const NoiseFloor one{"tower", "local:ollama:m", "ttft_ms", 0.012, 10, "t"};
  ASSERT_TRUE(add_to_state(dir.path(), std::vector<NoiseFloor>{one}));
  const auto state = read_state(dir.path());
  const NoiseFloor* found = state->floor("tower", "local:ollama:m", "ttft_ms");
  ASSERT_NE(found, nullptr);
  EXPECT_EQ(found->share, 0.012);
  EXPECT_EQ(found->pairs, 10);
  EXPECT_EQ(state->floor("other", "local:ollama:m", "ttft_ms"), nullptr);
}

TEST(State, PassesOverWhatItDoesNotKnowAndATornTail) {
  const TempDir dir;
  spill(dir.path() / "state.jsonl",
        "{\"type\":\"mark\",\"x\":1}\nnonsense\n"
        "{\"type\":\"baseline\",\"name\":\"a\",\"run_id\":\"r\",\"at\":\"t\"}\n"
        "{\"type\":\"baseline\",\"name\":\"a\",\"ru");
  const auto state = read_state(dir.path());
  ASSERT_TRUE(state);
  EXPECT_EQ(state->baselines.at("a").run_id, "r");
  EXPECT_EQ(state->damaged_lines, 1);
  // The torn tail is cut off before the next fact.
  ASSERT_TRUE(add_to_state(dir.path(), std::vector<Baseline>{{"b", "s", "t"}}));
  EXPECT_EQ(read_state(dir.path())->baselines.size(), 2U);
}

TEST(State, TakesFactsFromSeveralWritersAtOnce) {
  const TempDir dir;
  std::vector<std::thread> writers;
  for (int w = 0; w < 4; ++w) {
    writers.emplace_back([&, w] {
      for (int i = 0; i < 5; ++i) {
        const std::string name = std::to_string(w) + "-" + std::to_string(i);
        EXPECT_TRUE(add_to_state(dir.path(), std::vector<Baseline>{{name, "r", "t"}}));
      }
    });
  }
  for (std::thread& writer : writers) writer.join();
  EXPECT_EQ(read_state(dir.path())->baselines.size(), 20U);
}

}  // namespace
}  // namespace assay
