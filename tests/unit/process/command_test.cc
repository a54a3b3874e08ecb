#include "process/command.h"

#include <gtest/gtest.h>

namespace assay {
namespace {

constexpr Nanos kEnough = std::chrono::seconds(20);

TEST(RunCommand, PassesInputAndTakesOutput) {
  const std::string input(300'000, 'x');
  const auto done = run_command({"cat"}, input, kEnough);
  ASSERT_TRUE(done) << done.error().message;
  EXPECT_EQ(done->exit_code, 0);
  EXPECT_EQ(done->output, input);
}

TEST(RunCommand, ArgumentsReachTheProgramAsTheyAre) {
  const auto done = run_command({"printf", "%s", "$HOME; `id` *"}, "", kEnough);
  ASSERT_TRUE(done);
  EXPECT_EQ(done->output, "$HOME; `id` *");
}

TEST(RunCommand, AProgramMayLeaveItsInputUnread) {
  const auto done = run_command({"false"}, std::string(1 << 20, 'x'), kEnough);
  ASSERT_TRUE(done);
  EXPECT_EQ(done->exit_code, 1);
}

TEST(RunCommand, ItsTimeIsBounded) {
  const auto done = run_command({"sleep", "60"}, "", std::chrono::milliseconds(50));
  ASSERT_FALSE(done);
  EXPECT_EQ(done.error().code, Errc::kTimeout);
}

TEST(RunCommand, AProgramThatIsNotThereIsNamed) {
  const auto done = run_command({"no-such-program-here"}, "", kEnough);
  ASSERT_FALSE(done);
  EXPECT_EQ(done.error().code, Errc::kNotFound);
  EXPECT_NE(done.error().message.find("no-such-program-here"), std::string::npos);
}

}  // namespace
}  // namespace assay
