#include "net/url.h"

#include <gtest/gtest.h>

namespace assay {
namespace {

TEST(ParseUrl, ReadsWhatPeopleWrite) {
  EXPECT_EQ(parse_url("127.0.0.1:8080")->text(), "http://127.0.0.1:8080");
  EXPECT_EQ(parse_url("https://host")->port, 443);
  EXPECT_EQ(parse_url("http://host/v1/")->path, "/v1");
  EXPECT_EQ(parse_url("http://[::1]:11434")->text(), "http://[::1]:11434");
  EXPECT_EQ(parse_url("http://host:80")->authority(), "host");
}

TEST(ParseUrl, NamesWhatIsWrong) {
  for (const char* bad :
       {"", "ftp://x", "http://", "http://a@b", "http://h:0", "http://h:70000", "http://h:12x",
        "http://h?q", "http://h#f", "http://[::1", "http://a b", "http://[abc]", "http://x\\y"}) {
    const auto url = parse_url(bad);
    ASSERT_FALSE(url) << bad;
    EXPECT_EQ(url.error().code, Errc::kInvalidArgument);
  }
}

TEST(ParseUrl, TellsLoopback) {
  EXPECT_TRUE(parse_url("http://127.0.0.9")->is_loopback());
  EXPECT_TRUE(parse_url("http://localhost:1")->is_loopback());
  EXPECT_FALSE(parse_url("http://10.0.0.1")->is_loopback());
}

}  // namespace
}  // namespace assay
