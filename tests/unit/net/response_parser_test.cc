#include "net/response_parser.h"

#include <gtest/gtest.h>

namespace assay {
namespace {

struct Case {
  const char* name;
  std::string bytes;
  std::string body;
};

/// The body of the response when it comes in pieces of that many bytes.
std::string body_of(const Case& c, size_t piece) {
  ResponseParser parser;
  std::string body;
  for (size_t at = 0; at < c.bytes.size(); at += piece) {
    const auto fed = parser.feed(std::string_view(c.bytes).substr(at, piece),
                                 [&](std::string_view part) { body += part; });
    EXPECT_TRUE(fed) << c.name << " in pieces of " << piece << ": " << fed.error().message;
  }
  EXPECT_TRUE(parser.done()) << c.name << " in pieces of " << piece;
  return body;
}

TEST(ResponseParser, ReadsABodyHoweverItWasCut) {
  const std::string head = "HTTP/1.1 200 OK\r\n";
  const std::string chunked = head + "Transfer-Encoding: chunked\r\n\r\n";
  const Case cases[] = {
      {"length", head + "Content-Length: 5\r\n\r\nhello", "hello"},
      {"chunks", chunked + "5\r\nhello\r\n1\r\n!\r\n0\r\n\r\n", "hello!"},
      {"no chunk but the last", chunked + "0\r\n\r\n", ""},
      {"extension and trailer", chunked + "2;a=b\r\nok\r\n0\r\nX-Sum: 1\r\n\r\n", "ok"},
      {"trailer alone", chunked + "0\r\nX-Sum: 1\r\n\r\n", ""},
  };
  for (const auto& c : cases) {
    for (size_t piece = 1; piece <= c.bytes.size(); ++piece) EXPECT_EQ(body_of(c, piece), c.body);
  }
}

TEST(ResponseParser, RefusesWhatIsNoHttp) {
  ResponseParser parser;
  EXPECT_FALSE(parser.feed("SSH-2.0-OpenSSH_9.2\r\n\r\n", [](std::string_view) {}));
}

TEST(ResponseParser, SaysThatTheEndIsMissing) {
  ResponseParser parser;
  ASSERT_TRUE(
      parser.feed("HTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\nhel", [](std::string_view) {}));
  EXPECT_FALSE(parser.finish());
}

}  // namespace
}  // namespace assay
