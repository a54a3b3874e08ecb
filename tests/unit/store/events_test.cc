#include "store/events.h"

#include "store_test_support.h"

namespace assay {
namespace {

TEST(EventLines, CountFromOneWithoutHoles) {
  EventLines events("r1");
  EXPECT_EQ(events.last_seq(), 0);
  EXPECT_EQ(events.next("stage", R"({"a":1})"), R"({"id":"r1-1","event":"stage","data":{"a":1}})");
  EXPECT_EQ(events.next("a\"b", "{\n}"), R"({"id":"r1-2","event":"a\"b","data":{ }})");
  EXPECT_EQ(events.last_id(), "r1-2");
}

TEST(LastEventSeq, PassesOverATornTailCutAtAnyByte) {
  const TempDir dir;
  const auto file = dir.path() / "events.jsonl";
  EXPECT_EQ(last_event_seq(file).value(), 0);
  EventLines events("0000-11");
  std::string whole = events.next("stage", "") + "\n";
  whole += events.next("stage", "") + "\n";
  const std::string last = events.next("token", R"({"text":"x"})");
  for (size_t cut = 0; cut <= last.size(); ++cut) {
    spill(file, whole + last.substr(0, cut));
    EXPECT_EQ(last_event_seq(file).value(), 2) << cut;
  }
  spill(file, whole + last + "\n");
  EXPECT_EQ(last_event_seq(file).value(), 3);
}

TEST(LastEventSeq, FindsALastLineLongerThanItsFirstLook) {
  const TempDir dir;
  EventLines events("r", 8);
  const std::string huge = R"({"t":")" + std::string(200'000, 'y') + "\"}";
  std::string lines = events.next("a", "") + "\n";
  lines += events.next("b", huge) + "\n";
  spill(dir.path() / "e", lines);
  EXPECT_EQ(last_event_seq(dir.path() / "e").value(), 10);
}

TEST(LastEventSeq, SaysWhenTheLastLineHasNoNumber) {
  const TempDir dir;
  for (const char* text : {"hello\n", "{}\n", "{\"id\":5}\n", "{\"id\":\"r-x\"}\n", "\n"}) {
    spill(dir.path() / "e", text);
    EXPECT_EQ(last_event_seq(dir.path() / "e").error().code, Errc::kProtocol) << text;
  }
}

}  // namespace
}  // namespace assay
