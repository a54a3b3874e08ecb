#include "store/sent_calls.h"

#include <gtest/gtest.h>
#include <sys/wait.h>
#include <unistd.h>

#include <csignal>
#include <string>

namespace assay {
namespace {

class SentCallsTest : public testing::Test {
 protected:
  void TearDown() override { std::filesystem::remove(path_); }
  const std::filesystem::path path_ =
      std::filesystem::temp_directory_path() / ("assay_sent_calls_" + std::to_string(::getpid()));
};

TEST_F(SentCallsTest, MarksOutliveAProcessThatIsKilled) {
  const pid_t child = ::fork();
  if (child == 0) {
    auto sent = SentCalls::open(path_, 10);
    sent->mark(3);
    sent->mark(9);
    ::kill(::getpid(), SIGKILL);
  }
  ::waitpid(child, nullptr, 0);
  const auto sent = SentCalls::open(path_, 10);
  ASSERT_TRUE(sent);
  EXPECT_EQ(sent->marked(), (std::set<int64_t>{3, 9}));
}

TEST_F(SentCallsTest, NamesAPlaceThatCannotBeWritten) {
  const auto sent = SentCalls::open("/proc/no/such/place", 10);
  ASSERT_FALSE(sent);
  EXPECT_EQ(sent.error().code, Errc::kIo);
}

}  // namespace
}  // namespace assay
