#include "supervise/detached.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/files.h"
#include "process/child.h"
#include "unit/store/store_test_support.h"

namespace assay {
namespace {

using testing::ElementsAre;
using testing::HasSubstr;
using testing::IsEmpty;

DetachedEngine engine_named(const std::string& name, DetachedEngine::State state) {
  DetachedEngine engine;
  engine.id = "0a1b2c3d";
  engine.name = name;
  engine.state = state;
  engine.url = "http://127.0.0.1:4000";
  engine.key = Secret("key");
  engine.load.effective.gpu_layers = 7;
  engine.load.attempts.emplace_back().outcome = LoadOutcome::kGpuOom;
  engine.loader = identity_of(::getpid()).value();
  engine.process = identity_of(::getpid()).value();
  return engine;
}

/// A process of the test's own, which the sweep may end.
std::unique_ptr<Child> sleeper() {
  ChildSpec spec;
  spec.arguments = {"/bin/sleep", "600"};
  return Child::start(spec).value();
}

TEST(DetachedEngines, AreReadBackAsTheyWereKept) {
  const TempDir data;
  ASSERT_TRUE(keep_detached(data.path(), engine_named("m", DetachedEngine::State::kRunning)));
  const auto engines = detached_engines(data.path());
  ASSERT_EQ(engines.size(), 1U);
  EXPECT_EQ(engines[0].name, "m");
  EXPECT_EQ(engines[0].id, "0a1b2c3d");
  EXPECT_EQ(engines[0].state, DetachedEngine::State::kRunning);
  EXPECT_EQ(engines[0].url, "http://127.0.0.1:4000");
  EXPECT_EQ(engines[0].key.reveal(), "key");
  EXPECT_EQ(engines[0].load.effective.gpu_layers, 7);
  ASSERT_EQ(engines[0].load.attempts.size(), 1U);
  EXPECT_EQ(engines[0].load.attempts[0].outcome, LoadOutcome::kGpuOom);
  EXPECT_TRUE(engines[0].is_alive());
}

TEST(DetachedEngines, NobodyElseCanReadTheirKey) {
  const TempDir data;
  ASSERT_TRUE(keep_detached(data.path(), engine_named("m", DetachedEngine::State::kRunning)));
  struct stat info {};
  ASSERT_EQ(::stat((data.path() / "engines" / "0a1b2c3d.json").c_str(), &info), 0);
  EXPECT_EQ(info.st_mode & 0777, 0600U);
  ASSERT_EQ(::stat((data.path() / "engines").c_str(), &info), 0);
  EXPECT_EQ(info.st_mode & 0777, 0700U);
}

TEST(DetachedEngines, DamagedFilesAreLeftOut) {
  const TempDir data;
  ASSERT_TRUE(make_directories(data.path() / "engines"));
  for (const char* text : {"", "{", "[]", "{\"name\": 1}", "null"}) {
    ASSERT_TRUE(write_file_atomic(data.path() / "engines" / "x.json", text));
    EXPECT_THAT(detached_engines(data.path()), IsEmpty()) << text;
  }
}

TEST(SweepDetached, EndsWhatNobodyWaitsFor) {
  const TempDir data;
  const auto child = sleeper();
  DetachedEngine engine = engine_named("m", DetachedEngine::State::kLoading);
  engine.process = identity_of(child->pid()).value();
  ASSERT_TRUE(keep_detached(data.path(), engine));
  EXPECT_THAT(sweep_detached(data.path()), IsEmpty());  // Its loader is this test.
  EXPECT_TRUE(child->running());

  engine.loader.start_ticks -= 1;  // The number is another process's now.
  ASSERT_TRUE(keep_detached(data.path(), engine));
  EXPECT_THAT(sweep_detached(data.path()), ElementsAre(HasSubstr("which nobody waited for")));
  EXPECT_FALSE(child->running());
  EXPECT_EQ(child->ended_how(), "signal 15");
  EXPECT_THAT(detached_engines(data.path()), IsEmpty());
}

TEST(SweepDetached, MarksWhatDiedWithTheEndOfItsLog) {
  const TempDir data;
  DetachedEngine engine = engine_named("m", DetachedEngine::State::kRunning);
  engine.process.start_ticks -= 1;
  ASSERT_TRUE(keep_detached(data.path(), engine));
  ASSERT_TRUE(write_file_atomic(detached_log_file(data.path(), engine.id), "one\nthe end\n"));
  EXPECT_THAT(sweep_detached(data.path()), ElementsAre(HasSubstr("has died")));
  const auto engines = detached_engines(data.path());
  ASSERT_EQ(engines.size(), 1U);
  EXPECT_EQ(engines[0].state, DetachedEngine::State::kFailed);
  EXPECT_EQ(engines[0].error, "engine_died: the end");
  EXPECT_THAT(sweep_detached(data.path()), IsEmpty());
}

TEST(SweepDetached, AnEngineOfBeforeTheMachinesLastStartIsForgotten) {
  const TempDir data;
  DetachedEngine engine = engine_named("m", DetachedEngine::State::kRunning);
  engine.process.boot_id = "another";
  ASSERT_TRUE(keep_detached(data.path(), engine));
  EXPECT_THAT(sweep_detached(data.path()), IsEmpty());
  EXPECT_THAT(detached_engines(data.path()), IsEmpty());
}

TEST(EndDetached, LeavesAnotherProcessOfTheSameNumberAlone) {
  const TempDir data;
  const auto child = sleeper();
  DetachedEngine engine = engine_named("m", DetachedEngine::State::kRunning);
  engine.process = identity_of(child->pid()).value();
  engine.process.start_ticks += 1;
  ASSERT_TRUE(keep_detached(data.path(), engine));
  EXPECT_TRUE(end_detached(data.path(), engine));
  EXPECT_TRUE(child->running());
  EXPECT_THAT(detached_engines(data.path()), IsEmpty());
}

}  // namespace
}  // namespace assay
