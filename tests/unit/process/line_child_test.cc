#include "process/line_child.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <chrono>

namespace assay {
namespace {

using testing::HasSubstr;

constexpr Nanos kLong = std::chrono::seconds(30);

TEST(LineChild, TalksByLines) {
  auto child = LineChild::start({"cat"});
  ASSERT_TRUE(child) << child.error().message;
  ASSERT_TRUE((*child)->say("one"));
  ASSERT_TRUE((*child)->say("$(id); two"));
  EXPECT_EQ((*child)->next_line(kLong).value(), "one");
  EXPECT_EQ((*child)->next_line(kLong).value(), "$(id); two");
  EXPECT_EQ((*child)->next_line(std::chrono::milliseconds(1)).error().code, Errc::kTimeout);
}

TEST(LineChild, SaysWhyItEnded) {
  auto child = LineChild::start({"sh", "-c", "echo last; echo 'no route' >&2; exit 255"});
  ASSERT_TRUE(child);
  EXPECT_EQ((*child)->next_line(kLong).value(), "last");
  const auto end = (*child)->next_line(kLong);
  EXPECT_EQ(end.error().code, Errc::kUnavailable);
  EXPECT_THAT(end.error().message, HasSubstr("no route"));
}

TEST(LineChild, SaysWhyItEndedAlsoToWhoSpeaksFirst) {
  auto child = LineChild::start({"sh", "-c", "echo 'no route' >&2; exit 255"});
  ASSERT_TRUE(child);
  EXPECT_FALSE((*child)->next_line(kLong));  // So that it ends; the kernel closes one by one.
  Result<void> said;
  const MonoNs deadline = mono_now_ns() + kLong.count();
  while (mono_now_ns() < deadline && (said || said.error().code == Errc::kIo)) {
    said = (*child)->say("hello");
  }
  ASSERT_FALSE(said);
  EXPECT_EQ(said.error().code, Errc::kUnavailable);
  EXPECT_THAT(said.error().message, HasSubstr("no route"));
}

TEST(LineChild, AnEndlessLineIsNone) {
  auto child =
      LineChild::start({"sh", "-c", "while :; do printf 'xxxxxxxxxxxxxxxxxxxxxxxx'; done"});
  ASSERT_TRUE(child);
  EXPECT_EQ((*child)->next_line(kLong).error().code, Errc::kProtocol);
}

TEST(LineChild, NoSuchProgram) {
  EXPECT_EQ(LineChild::start({"assay-has-no-such-program"}).error().code, Errc::kNotFound);
}

}  // namespace
}  // namespace assay
