#include "run/model_registry.h"

#include <gmock/gmock.h>
#include <unistd.h>

#include <variant>

#include "base/files.h"
#include "registry/eligibility.h"

namespace assay {
namespace {

using testing::HasSubstr;

State state_of(const std::vector<Fact>& facts) {
  State state;
  for (const Fact& fact : facts) {
    std::visit(
        [&](const auto& known) {
          using F = std::remove_cvref_t<decltype(known)>;
          std::get<FactTable<F>>(state.tables).insert_or_assign(known.key(), known);
        },
        fact);
  }
  return state;
}

RegisteredModel found_model(const std::string& name = "a") {
  RegisteredModel m;
  m.listed.place = "directory";
  m.listed.root = "/models";
  m.listed.path = name + ".gguf";
  m.listed.name = name;
  m.listed.files = {"/models/" + name + ".gguf"};
  m.header = GgufInfo{};
  m.fingerprint = "f-" + name;
  m.bytes = 10;
  m.mtime_ns = 20;
  m.present = true;
  return m;
}

Scan scan_of(std::vector<RegisteredModel> models, bool scanned = true) {
  Scan scan;
  scan.roots = {{"directory", "/models", {}, scanned}};
  scan.models = std::move(models);
  return scan;
}

/// What the state says after a scan of it.
State after(const Scan& scan, State state) {
  std::vector<Fact> all;
  std::apply(
      [&](const auto&... tables) {
        const auto take = [&](const auto& table) {
          for (const auto& [key, fact] : table) all.emplace_back(fact);
        };
        (take(tables), ...);
      },
      state.tables);
  for (const Fact& fact : facts_of_scan(scan, state, "now")) all.push_back(fact);
  return state_of(all);
}

TEST(ModelRegistry, ASecondScanOfTheSameSaysNothingNew) {
  const Scan scan = scan_of({found_model()});
  const State state = after(scan, {});
  EXPECT_EQ(state.find<SeenModel>("f-a")->name, "a");
  EXPECT_TRUE(state.find<SeenModel>("f-a")->present);
  EXPECT_TRUE(facts_of_scan(scan, state, "later").empty());
}

TEST(ModelRegistry, AMissingFileLosesPresentAndEnabled) {
  State state = after(scan_of({found_model()}), {});
  std::get<FactTable<ModelFlags>>(state.tables)["f-a"] = {"f-a", true, true, "t"};
  Scan empty = scan_of({});
  state = after(empty, state);
  EXPECT_FALSE(state.find<SeenModel>("f-a")->present);
  EXPECT_FALSE(state.find<ModelFlags>("f-a")->enabled);
  EXPECT_TRUE(state.find<ModelFlags>("f-a")->benchmark);
  EXPECT_TRUE(facts_of_scan(empty, state, "later").empty());
  apply_state(state, empty);
  ASSERT_EQ(empty.models.size(), 1U);
  EXPECT_EQ(empty.models[0].state, ModelState::kMissing);
  EXPECT_THAT(empty.models[0].reason, HasSubstr("a.gguf"));
  EXPECT_FALSE(is_eligible(empty.models[0]));
  // Its return does not enable it.
  Scan back = scan_of({found_model()});
  state = after(back, state);
  apply_state(state, back);
  EXPECT_TRUE(back.models[0].present);
  EXPECT_FALSE(back.models[0].enabled);
}

TEST(ModelRegistry, AMissingPartCountsAsAMissingFile) {
  State state = after(scan_of({found_model()}), {});
  std::get<FactTable<ModelFlags>>(state.tables)["f-a"] = {"f-a", true, false, "t"};
  RegisteredModel holed = found_model();
  holed.state = ModelState::kIncomplete;
  holed.present = false;
  state = after(scan_of({holed}), state);
  EXPECT_FALSE(state.find<ModelFlags>("f-a")->enabled);
}

TEST(ModelRegistry, ADirectoryThatCannotBeScannedChangesNothing) {
  const State state = after(scan_of({found_model()}), {});
  Scan unreadable = scan_of({}, false);
  EXPECT_TRUE(facts_of_scan(unreadable, state, "later").empty());
  apply_state(state, unreadable);
  EXPECT_THAT(unreadable.models.at(0).reason, HasSubstr("could not be scanned"));
  Scan elsewhere = scan_of({});
  elsewhere.roots[0].path = "/other";
  EXPECT_TRUE(facts_of_scan(elsewhere, state, "later").empty());
  apply_state(state, elsewhere);
  EXPECT_TRUE(elsewhere.models.empty());
}

TEST(ModelRegistry, ADigestStaysWithTheFileItIsOf) {
  RegisteredModel digested = found_model();
  digested.digest = "d1";
  const State state = after(scan_of({digested}), {});
  Scan again = scan_of({found_model()});
  EXPECT_TRUE(facts_of_scan(again, state, "later").empty());
  apply_state(state, again);
  EXPECT_EQ(again.models[0].digest, "d1");
  RegisteredModel changed = found_model();
  changed.mtime_ns = 21;
  Scan now = scan_of({changed});
  EXPECT_FALSE(after(now, state).find<SeenModel>("f-a")->digest);
  apply_state(state, now);
  EXPECT_FALSE(now.models[0].digest);
}

TEST(ModelRegistry, AShadowedModelHasNoFacts) {
  RegisteredModel shadowed = found_model();
  shadowed.state = ModelState::kShadowed;
  EXPECT_TRUE(facts_of_scan(scan_of({shadowed}), {}, "now").empty());
}

TEST(AvailableMemory, IsTheKernelsOrWhatTheGroupLeaves) {
  EnvironmentSource source;
  source.root = std::filesystem::path(ASSAY_TEST_DATA) / "machine";
  EXPECT_EQ(available_memory(source), int64_t{5'200'000} * 1024);
  EXPECT_EQ(memory_pools(source).at(0).name, "memory");
  const auto root =
      std::filesystem::temp_directory_path() / ("assay-memory-" + std::to_string(::getpid()));
  const auto put = [&](const std::string& name, std::string_view text) {
    ASSERT_TRUE(make_directories((root / name).parent_path()));
    ASSERT_TRUE(write_file_atomic(root / name, text));
  };
  put("proc/meminfo", "MemAvailable:  1000 kB\n");
  put("sys/fs/cgroup/memory.max", "500000\n");
  put("sys/fs/cgroup/memory.current", "100000\n");
  source.root = root;
  EXPECT_EQ(available_memory(source), 400'000);
  put("sys/fs/cgroup/memory.current", "600000\n");
  EXPECT_EQ(available_memory(source), 0);
  std::filesystem::remove_all(root);
  source.root = "/nowhere";
  EXPECT_FALSE(available_memory(source));
  EXPECT_TRUE(memory_pools(source).empty());
}

}  // namespace
}  // namespace assay
