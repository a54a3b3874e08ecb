#include "store/run_lock.h"

#include <fcntl.h>
#include <signal.h>
#include <sys/wait.h>
#include <unistd.h>

#include "store_test_support.h"

namespace assay {
namespace {

using namespace std::chrono_literals;

/// Forks; the child runs `work`, then tells the parent and waits to be killed.
template <class F>
pid_t fork_and_hold(F&& work) {
  int ends[2];
  EXPECT_EQ(::pipe(ends), 0);
  const pid_t child = ::fork();
  if (child == 0) {
    const auto held = work();
    const char done = held ? 'y' : 'n';
    (void)!::write(ends[1], &done, 1);
    for (;;) ::pause();
  }
  char done = 0;
  EXPECT_EQ(::read(ends[0], &done, 1), 1);
  EXPECT_EQ(done, 'y');
  ::close(ends[0]);
  ::close(ends[1]);
  return child;
}

void kill_and_reap(pid_t child) {
  ::kill(child, SIGKILL);
  ::waitpid(child, nullptr, 0);
}

TEST(RunLock, NamesItsHolderAndIsFreeAfterKill9) {
  const TempDir dir;
  const auto path = dir.path() / "lock";
  const pid_t child = fork_and_hold([&] { return RunLock::acquire(path, kRunId); });
  const auto second = RunLock::acquire(path, "other-run");
  ASSERT_FALSE(second);
  EXPECT_EQ(second.error().code, Errc::kConflict);
  const std::string expected =
      "another run is measuring: run 1a2b3c4d, pid " + std::to_string(child) + ", since ";
  EXPECT_EQ(second.error().message.substr(0, expected.size()), expected);
  EXPECT_EQ(second.error().message.size(), expected.size() + 9);  // 12:00:05Z
  kill_and_reap(child);
  EXPECT_FALSE(slurp(path).empty());
  EXPECT_TRUE(RunLock::acquire(path, "other-run"));
  EXPECT_TRUE(slurp(path).empty());
}

TEST(RunLock, DoesNotBelieveTheTextOfADeadHolder) {
  const TempDir dir;
  const auto path = dir.path() / "lock";
  const auto mine = RunLock::acquire(path, kRunId);
  ASSERT_TRUE(mine);
  // Our process number, but another start time: a process that had the number before.
  spill(path, std::to_string(::getpid()) + " 1 dead-run 2026-01-31T12:00:00.000Z\n");
  const std::string message = RunLock::acquire(path, "x").error().message;
  EXPECT_EQ(message, "another run is measuring; it has not said which");
  for (const char* text : {"", "\n", "1 2 3", "garbage garbage x y\n", "-1 0 x y\n"}) {
    spill(path, text);
    EXPECT_EQ(RunLock::acquire(path, "x").error().message, message) << text;
  }
}

TEST(RunLock, IsNotInheritedByChildPrograms) {
  const TempDir dir;
  const auto path = dir.path() / "lock";
  int ends[2];
  ASSERT_EQ(::pipe2(ends, O_CLOEXEC), 0);  // Closes at exec: the parent then reads end of file.
  pid_t child = 0;
  {
    const auto lock = RunLock::acquire(path, kRunId);
    ASSERT_TRUE(lock);
    child = ::fork();
    if (child == 0) {
      ::execl("/bin/sleep", "sleep", "60", nullptr);
      ::_exit(1);
    }
    ::close(ends[1]);
    char nothing = 0;
    EXPECT_EQ(::read(ends[0], &nothing, 1), 0);
  }
  EXPECT_TRUE(RunLock::acquire(path, "next-run"));
  EXPECT_EQ(::kill(child, 0), 0);
  kill_and_reap(child);
  ::close(ends[0]);
}

TEST(RunLock, WaitsUntilTheHolderIsGone) {
  const TempDir dir;
  const auto path = dir.path() / "lock";
  const pid_t child = fork_and_hold([&] { return RunLock::acquire(path, kRunId); });
  int calls = 0;
  const auto lock = RunLock::wait(path, "next-run", 60s, [&](const Error& conflict, Nanos waited) {
    EXPECT_NE(conflict.message.find("1a2b3c4d"), std::string::npos);
    EXPECT_GE(waited.count(), 0);
    if (++calls == 1) kill_and_reap(child);
    return true;
  });
  EXPECT_TRUE(lock);
  EXPECT_EQ(calls, 1);
}

TEST(RunLock, WaitingEndsAtItsBoundOrOnRequest) {
  const TempDir dir;
  const auto path = dir.path() / "lock";
  const auto held = RunLock::acquire(path, kRunId);
  const auto bound = RunLock::wait(path, "x", 1ms, {});
  EXPECT_EQ(bound.error().code, Errc::kTimeout);
  EXPECT_NE(bound.error().message.find("run 1a2b3c4d"), std::string::npos);
  const auto asked = RunLock::wait(path, "x", 60s, [](const Error&, Nanos) { return false; });
  EXPECT_EQ(asked.error().code, Errc::kCancelled);
}

TEST(LockPath, FollowsTheEnvironment) {
  const TempDir dir;
  const ScopedEnv runtime("XDG_RUNTIME_DIR", dir.path().c_str());
  {
    const ScopedEnv named("ASSAY_LOCK_FILE", "/some/where");
    EXPECT_EQ(lock_path(), "/some/where");
  }
  const ScopedEnv named("ASSAY_LOCK_FILE", nullptr);
  EXPECT_EQ(lock_path(), dir.path() / "assay.lock");
  const ScopedEnv gone("XDG_RUNTIME_DIR", "/does/not/exist");
  EXPECT_EQ(lock_path().filename(), "assay.lock");
}

}  // namespace
}  // namespace assay
