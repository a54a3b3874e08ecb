#include "process/child.h"

#include <gtest/gtest.h>
#include <signal.h>

#include "base/files.h"
#include "process/process_identity.h"
#include "unit/store/store_test_support.h"

namespace assay {
namespace {

ChildSpec shell(const std::string& script) {
  ChildSpec spec;
  spec.arguments = {"/bin/sh", "-c", script};
  spec.environment = {"PATH=/usr/bin:/bin", "ONLY=this"};
  return spec;
}

/// All that a program writes until it ends.
std::string output_of(Child& child) {
  std::string output;
  while (child.running()) output += child.take_output();
  for (std::string more = child.take_output(); !more.empty(); more = child.take_output()) {
    output += more;
  }
  return output;
}

TEST(Child, ItsOutputAndItsEndAreTold) {
  auto child = Child::start(shell("echo out; echo err >&2; exit 3")).value();
  const std::string output = output_of(*child);
  EXPECT_NE(output.find("out\n"), std::string::npos);
  EXPECT_NE(output.find("err\n"), std::string::npos);
  EXPECT_EQ(child->ended_how(), "exit code 3");
  EXPECT_EQ(child->log_tail(), output);
}

TEST(Child, ASignalIsToldFromAnExit) {
  auto child = Child::start(shell("kill -9 $$")).value();
  output_of(*child);
  EXPECT_EQ(child->ended_how(), "signal 9");
}

TEST(Child, FindsNothingInItsEnvironmentBesideWhatItWasGiven) {
  auto child = Child::start(shell("env; pwd")).value();
  const std::string output = output_of(*child);
  EXPECT_NE(output.find("ONLY=this"), std::string::npos);
  EXPECT_EQ(output.find("HOME="), std::string::npos);
}

TEST(Child, TheLogThatIsKeptIsBounded) {
  auto child = Child::start(shell("head -c 200000 /dev/zero | tr '\\0' x; echo end")).value();
  EXPECT_EQ(output_of(*child).size(), 200004U);
  EXPECT_EQ(child->log_tail().size(), Child::kLogTailBytes);
  EXPECT_TRUE(child->log_tail().ends_with("end\n"));
}

TEST(Child, IsNotBornWhenNobodyCouldFindIt) {
  const TempDir folder;
  const std::string mark = (folder.path() / "ran").string();
  ChildSpec spec = shell("touch " + mark);
  pid_t told = 0;
  spec.before_exec = [&told](pid_t pid) -> Result<void> {
    told = pid;
    return fail(Errc::kIo, "the disk is full");
  };
  const auto child = Child::start(spec);
  ASSERT_FALSE(child);
  EXPECT_EQ(child.error().message, "the disk is full");
  EXPECT_GT(told, 0);
  EXPECT_FALSE(process_start_ticks(told));
  EXPECT_FALSE(std::filesystem::exists(mark));
}

TEST(Child, IsToldOfBeforeItRuns) {
  const TempDir folder;
  const std::string file = (folder.path() / "pid").string();
  ChildSpec spec = shell("cat " + file);
  spec.before_exec = [&file](pid_t pid) { return write_file_atomic(file, std::to_string(pid)); };
  auto child = Child::start(spec).value();
  EXPECT_EQ(output_of(*child), std::to_string(child->pid()));
}

TEST(Child, OneThatIsLetGoLivesOnAndWritesToItsFile) {
  const TempDir folder;
  ChildSpec spec = shell("echo ready; exec sleep 600");
  spec.log_file = (folder.path() / "log").string();
  std::optional<ProcessIdentity> process;
  {
    auto child = Child::start(spec).value();
    std::string output;
    while (output.find("ready\n") == std::string::npos) output += child->take_output();
    process = identity_of(child->pid());
    child->let_go();
  }
  ASSERT_TRUE(process);
  EXPECT_TRUE(is_running(*process));
  EXPECT_EQ(read_file(spec.log_file).value(), "ready\n");
  EXPECT_TRUE(end_process(*process));
  EXPECT_FALSE(is_running(*process));
}

TEST(Child, WhatAnEarlierOneWroteToTheFileIsNotItsOwn) {
  const TempDir folder;
  ChildSpec spec = shell("echo second");
  spec.log_file = (folder.path() / "log").string();
  ASSERT_TRUE(write_file_atomic(spec.log_file, "first\n"));
  auto child = Child::start(spec).value();
  EXPECT_EQ(output_of(*child), "second\n");
  EXPECT_EQ(read_file(spec.log_file).value(), "first\nsecond\n");
}

TEST(Child, OneThatIsNotLetGoEndsWithItsOwner) {
  std::optional<ProcessIdentity> process;
  {
    auto child = Child::start(shell("exec sleep 600")).value();
    process = identity_of(child->pid());
  }
  ASSERT_TRUE(process);
  EXPECT_FALSE(is_running(*process));
}

TEST(EndProcess, OneThatDoesNotListenIsKilled) {
  auto child = Child::start(shell("trap '' TERM; echo ready; while :; do sleep 1; done")).value();
  std::string output;
  while (output.find("ready\n") == std::string::npos) output += child->take_output();
  const auto process = identity_of(child->pid());
  ASSERT_TRUE(process);
  EXPECT_TRUE(end_process(*process, std::chrono::milliseconds(50)));
  EXPECT_EQ(child->ended_how(), "signal 9");
}

TEST(ProcessIdentity, ANumberThatMeansAnotherProcessIsNoMatch) {
  auto mine = identity_of(::getpid()).value();
  EXPECT_TRUE(is_running(mine));
  mine.start_ticks += 1;
  EXPECT_FALSE(is_running(mine));
  mine = identity_of(::getpid()).value();
  mine.boot_id = "another";
  EXPECT_FALSE(is_running(mine));
  EXPECT_FALSE(identity_of(int64_t{1} << 30));
}

}  // namespace
}  // namespace assay
