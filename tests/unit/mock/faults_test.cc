#include "mock/faults.h"

#include <gtest/gtest.h>

#include <filesystem>
#include <set>

#include "base/files.h"
#include "mock/tokens.h"
#include "support/mock_calls.h"

namespace assay::test {
namespace {

std::string model(std::string_view fault) { return "fault:" + std::string(fault); }

/// Short waits are enough: these faults never answer.
constexpr int kHangLimit_ms = 60;

TEST(FaultTable, NamesAreUniqueAndApplyWithoutArguments) {
  std::set<std::string_view> names;
  for (const Fault& fault : faults()) {
    EXPECT_TRUE(names.insert(fault.name).second) << fault.name;
    EXPECT_TRUE(behaviour_of(model(fault.name)).has_value()) << fault.name;
  }
  EXPECT_GE(names.size(), 40U);
}

TEST(FaultTable, AttemptsFollowFromTheBehaviour) {
  for (const Fault& fault : faults()) {
    EXPECT_EQ(expected_attempts(*behaviour_of(model(fault.name))), fault.attempts) << fault.name;
  }
  EXPECT_EQ(expected_attempts(*behaviour_of("fault:429:7")), 4);
  EXPECT_EQ(expected_attempts(*behaviour_of("fault:429:1")), 2);
}

TEST(FaultTable, ManualHasThisTable) {
  const auto manual = read_file(ASSAY_SOURCE_DIR "/docs/mock-server.md");
  ASSERT_TRUE(manual.has_value());
  EXPECT_NE(manual->find(fault_table_markdown()), std::string::npos)
      << "docs/mock-server.md should contain:\n"
      << fault_table_markdown();
}

TEST(FaultTable, UnknownNamesAndArgumentsAreRefused) {
  EXPECT_FALSE(behaviour_of("fault:nonsense").has_value());
  EXPECT_FALSE(behaviour_of("fault:429:many").has_value());
  EXPECT_TRUE(behaviour_of("faultless").has_value());
  const auto server = start_mock();
  const Reply reply = chat(*server, chat_request("fault:nonsense"));
  EXPECT_EQ(reply.status, 400);
  EXPECT_NE(reply.body.find("nonsense"), std::string::npos);
}

/// Both dialects, from a server that is shared by the tests of the fixture.
class MockFault : public ::testing::Test {
 protected:
  static void SetUpTestSuite() { server_ = start_mock(); }
  static void TearDownTestSuite() { server_.reset(); }

  static Reply openai(std::string_view fault, bool stream = true,
                      int limit_ms = BlockingClient::kLimit_ms) {
    return post(*server_, "/v1/chat/completions", chat_request(model(fault), stream), {}, limit_ms);
  }
  static Reply ollama(std::string_view fault, bool stream = true,
                      int limit_ms = BlockingClient::kLimit_ms) {
    return post(*server_, "/api/chat", chat_request(model(fault), stream), {}, limit_ms);
  }

  static std::unique_ptr<MockServer> server_;
};
std::unique_ptr<MockServer> MockFault::server_;

TEST_F(MockFault, RetryAfterSaysWhatTheArgumentsSay) {
  EXPECT_EQ(openai("429:1").header("Retry-After"), "0");
  EXPECT_EQ(openai("429:1").status, 200);
  EXPECT_EQ(openai("429:1:2").header("Retry-After"), "2");
  EXPECT_EQ(openai("429huge:9").header("Retry-After"), "999999999");
  EXPECT_TRUE(openai("429date:9").header("Retry-After").ends_with(" GMT"));
}

TEST_F(MockFault, RefusalsSpeakTheDialect) {
  EXPECT_EQ(Json::parse(openai("503loading:99").body)["error"]["message"], "Loading model");
  EXPECT_EQ(Json::parse(ollama("503loading:99").body)["error"], "Loading model");
  EXPECT_EQ(openai("401").status, 401);
  const Reply redirect = openai("redirect");
  EXPECT_EQ(redirect.status, 302);
  EXPECT_EQ(redirect.header("Location"), "/redirected");
  Json request = chat_request("fault:refuse_stream_options");
  EXPECT_EQ(chat(*server_, request).status, 200);
  request["stream_options"] = {{"include_usage", true}};
  const Reply refused = chat(*server_, request);
  EXPECT_EQ(refused.status, 400);
  EXPECT_NE(refused.body.find("stream_options"), std::string::npos);
}

TEST_F(MockFault, SilentOnesSendNoMoreThanTheySay) {
  EXPECT_EQ(openai("hang_headers", true, kHangLimit_ms).status, 0);
  const Reply first = openai("hang_first", true, kHangLimit_ms);
  EXPECT_EQ(first.status, 200);
  EXPECT_EQ(first.body, "");
  const Reply middle = openai("hang_mid:2", true, kHangLimit_ms);
  EXPECT_EQ(middle.end, Reply::End::kTimeout);
  EXPECT_EQ(count_tokens(streamed(sse_json(middle.body))), 2);
  EXPECT_EQ(ndjson(ollama("hang_mid:2", true, kHangLimit_ms).body).size(), 2U);
  const Reply whole = openai("hang_first", false, kHangLimit_ms);
  EXPECT_EQ(whole.status, 200);
  EXPECT_EQ(whole.body, "");
}

TEST_F(MockFault, PingsAreCommentsOnly) {
  BlockingClient client(server_->port());
  client.request("POST", "/v1/chat/completions", chat_request("fault:ping_forever").dump());
  while (client.received().find("\r\n\r\n7\r\n: ping") == std::string::npos &&
         client.received().find(": ping\n\n\r\n8") == std::string::npos && client.receive()) {
    if (client.received().size() > 300) break;
  }
  EXPECT_EQ(client.received().find("data:"), std::string::npos);
  EXPECT_NE(client.received().find(": ping\n\n"), std::string::npos);
}

TEST_F(MockFault, TrickleSendsSingleBytesOnTime) {
  BlockingClient client(server_->port());
  const MonoNs before = mono_now_ns();
  client.request("POST", "/v1/chat/completions", chat_request("fault:trickle:0.002").dump());
  // Each byte is a chunk of its own: `1 CRLF byte CRLF`.
  while (client.received().find("\r\n\r\n") == std::string::npos && client.receive()) {
  }
  const size_t body = client.received().find("\r\n\r\n") + 4;
  while (client.received().size() < body + 10 * 6 && client.receive()) {
  }
  EXPECT_GE(mono_now_ns() - before, 9 * 2'000'000);
  EXPECT_EQ(client.received().substr(body, 12), "1\r\nd\r\n1\r\na\r\n");
}

TEST_F(MockFault, SlowHeadersHoldEverythingBack) {
  const MonoNs before = mono_now_ns();
  const Reply reply = openai("slow_headers:20ms");
  EXPECT_GE(mono_now_ns() - before, 20'000'000);
  EXPECT_EQ(reply.end, Reply::End::kComplete);
  EXPECT_TRUE(has_done(reply));
}

TEST_F(MockFault, CutsLeaveTheFramingOpen) {
  const Reply truncated = openai("truncate");
  EXPECT_EQ(truncated.end, Reply::End::kCut);
  EXPECT_EQ(count_tokens(streamed(sse_json(truncated.body))), 4);
  EXPECT_TRUE(truncated.body.ends_with("\n\n"));
  const Reply cut = openai("cut_event");
  EXPECT_EQ(cut.end, Reply::End::kCut);
  EXPECT_FALSE(cut.body.ends_with("\n"));
  const Reply shorter = openai("short_cl");
  EXPECT_EQ(std::stoul(shorter.header("Content-Length")), shorter.body.size() + 100);
  EXPECT_TRUE(has_done(shorter));
  const Reply reset = openai("rst:1");
  EXPECT_EQ(reset.end, Reply::End::kReset);
}

TEST_F(MockFault, MissingEndings) {
  const Reply no_done = openai("no_done");
  EXPECT_FALSE(has_done(no_done));
  EXPECT_EQ(finish_reason(sse_json(no_done.body)), "stop");
  const Reply no_finish = openai("no_finish");
  EXPECT_TRUE(has_done(no_finish));
  EXPECT_EQ(finish_reason(sse_json(no_finish.body)), "");
  EXPECT_FALSE(ndjson(ollama("no_finish").body).back().contains("done_reason"));
  EXPECT_EQ(ndjson(ollama("no_done").body).back()["done"], false);
}

TEST_F(MockFault, WrongNumbers) {
  Json request = chat_request("fault:wrong_usage");
  request["stream_options"] = {{"include_usage", true}};
  const Json absurd = sse_json(chat(*server_, request).body).back()["usage"];
  EXPECT_EQ(absurd["prompt_tokens"], -5);
  EXPECT_EQ(absurd["completion_tokens"], 1e99);
  EXPECT_EQ(ndjson(ollama("wrong_usage").body).back()["eval_count"], 1e99);
  request["model"] = "fault:wrong_length:-3";
  EXPECT_EQ(sse_json(chat(*server_, request).body).back()["usage"]["completion_tokens"], 5);
  EXPECT_EQ(ndjson(ollama("wrong_length").body).back()["eval_count"], 18);
  request["model"] = "fault:no_usage";
  EXPECT_EQ(chat(*server_, request).body.find("\"usage\""), std::string::npos);
  EXPECT_FALSE(ndjson(ollama("no_usage").body).back().contains("eval_count"));
}

TEST_F(MockFault, WrongShapes) {
  for (const Json& event : sse_json(openai("empty_choices").body)) {
    EXPECT_TRUE(event["choices"].empty());
  }
  EXPECT_TRUE(Json::parse(openai("empty_choices", false).body)["choices"].empty());
  EXPECT_EQ(openai("html").header("Content-Type"), "text/html");
  EXPECT_TRUE(Json::parse(openai("bad_json", false).body, nullptr, false).is_discarded());
  EXPECT_TRUE(Json::parse(ollama("bad_json", false).body, nullptr, false).is_discarded());
  const auto with_error = sse_json(openai("error_in_stream").body);
  EXPECT_TRUE(with_error.back()["error"]["message"].is_string());
  EXPECT_EQ(count_tokens(streamed(with_error)), 4);
  EXPECT_TRUE(sse_json(openai("ollama_err").body).back()["error"].is_string());
  const Json line = ndjson(ollama("error_in_stream").body).back();
  EXPECT_TRUE(line["error"].is_string());
  EXPECT_FALSE(line.contains("done"));
}

TEST_F(MockFault, EndlessGoesPastMaxTokens) {
  BlockingClient client(server_->port());
  Json request = chat_request("fault:endless");
  request["max_tokens"] = 2;
  client.request("POST", "/v1/chat/completions", request.dump());
  while (client.received().size() < 200'000 && client.receive()) {
  }
  EXPECT_GE(client.received().size(), 200'000U);
  EXPECT_EQ(client.received().find("[DONE]"), std::string::npos);
}

TEST_F(MockFault, EndlessDoesNotStarveOthers) {
  BlockingClient reader(server_->port());
  reader.request("POST", "/v1/chat/completions", chat_request("fault:endless").dump());
  EXPECT_TRUE(reader.receive());
  EXPECT_EQ(chat(*server_, chat_request()).end, Reply::End::kComplete);
}

TEST_F(MockFault, HugeLineIsOneEventOfThatSize) {
  const auto events = sse_json(openai("huge_line:1").body);
  EXPECT_EQ(streamed(events).size(), size_t{1} << 20);
  EXPECT_EQ(ndjson(ollama("huge_line:1").body)[0]["message"]["content"].get<std::string>().size(),
            size_t{1} << 20);
}

TEST_F(MockFault, EachByteOfSplitTextIsAChunk) {
  const Reply reply = openai("utf8_split");
  EXPECT_EQ(reply.chunks.size(), reply.body.size());
  EXPECT_NE(streamed(sse_json(reply.body)).find("漢字"), std::string::npos);
}

TEST_F(MockFault, BadUtf8IsReallyBad) {
  EXPECT_FALSE(is_valid_utf8(openai("bad_utf8").body));
  EXPECT_FALSE(is_valid_utf8(openai("bad_utf8", false).body));
  EXPECT_FALSE(is_valid_utf8(ollama("bad_utf8").body));
}

TEST_F(MockFault, UnusualWriting) {
  const std::string crlf = openai("crlf").body;
  EXPECT_NE(crlf.find("}\r\n\r\ndata: "), std::string::npos);
  EXPECT_TRUE(ollama("crlf").body.ends_with("}\r\n"));
  EXPECT_TRUE(openai("nospace").body.starts_with("data:{"));
  const std::string multi = openai("multi_data").body;
  EXPECT_NE(multi.find(",\ndata: \"choices\""), std::string::npos);
  EXPECT_EQ(count_tokens(streamed(sse_json(multi))), 8);
  EXPECT_TRUE(openai("comments").body.starts_with(": comment\n\ndata: "));
  const Reply coalesced = openai("coalesced:8");
  EXPECT_EQ(coalesced.chunks.size(), 3U);  // Role, all tokens, the end.
  const Reply closed = openai("close_delimited");
  EXPECT_EQ(closed.header("Connection"), "close");
  EXPECT_EQ(closed.header("Content-Length"), "");
  EXPECT_TRUE(has_done(closed));
}

TEST_F(MockFault, UnusualChunks) {
  const Json first = sse_json(openai("null_first").body)[0];
  EXPECT_TRUE(first["choices"][0]["delta"]["content"].is_null());
  EXPECT_EQ(openai("role_none").body.find("\"role\""), std::string::npos);
  const Json usage = sse_json(openai("usage_only_chunk").body)[0];
  EXPECT_TRUE(usage["choices"].empty());
  EXPECT_TRUE(usage["usage"].is_object());
  const auto empty = sse_json(openai("empty").body);
  EXPECT_EQ(streamed(empty), "");
  EXPECT_EQ(finish_reason(empty), "stop");
  EXPECT_EQ(ndjson(ollama("empty").body).size(), 1U);
}

TEST_F(MockFault, ThinkTagsAreSplitOverEvents) {
  const auto events = sse_json(openai("think_tags").body);
  EXPECT_EQ(streamed({events[1]}), "<th");
  EXPECT_EQ(streamed({events[2]}), "ink>");
  EXPECT_NE(streamed(events).find("</think>"), std::string::npos);
}

TEST_F(MockFault, ToolCallArgumentsComeInPieces) {
  const auto events = sse_json(openai("tool_calls").body);
  std::string name, arguments;
  int pieces = 0;
  for (const Json& event : events) {
    const Json delta = event["choices"][0]["delta"];
    if (!delta.contains("tool_calls")) continue;
    const Json function = delta["tool_calls"][0]["function"];
    name += function.value("name", "");
    arguments += function["arguments"].get<std::string>();
    ++pieces;
  }
  EXPECT_EQ(name, "get_weather");
  EXPECT_EQ(Json::parse(arguments), Json({{"city", "Paris"}, {"unit", "celsius"}}));
  EXPECT_GE(pieces, 4);
  EXPECT_EQ(finish_reason(events), "tool_calls");
  const Json line = ndjson(ollama("tool_calls").body)[0];
  EXPECT_EQ(line["message"]["tool_calls"][0]["function"]["arguments"]["city"], "Paris");
  const Json body = Json::parse(openai("tool_calls", false).body);
  EXPECT_EQ(body["choices"][0]["message"]["tool_calls"][0]["function"]["name"], "get_weather");
}

TEST_F(MockFault, MarkupArrivesUnchanged) {
  const std::string text = streamed(sse_json(openai("xss").body));
  EXPECT_NE(text.find("<script>alert(1)</script>"), std::string::npos);
  EXPECT_NE(text.find("\x1b[31m"), std::string::npos);
  EXPECT_NE(text.find("=HYPERLINK("), std::string::npos);
}

TEST_F(MockFault, WholeAnswersAreCutResetAndHungToo) {
  const Reply truncated = openai("truncate", false);
  EXPECT_EQ(truncated.end, Reply::End::kCut);
  EXPECT_LT(truncated.body.size(), std::stoul(truncated.header("Content-Length")));
  EXPECT_EQ(openai("rst", false).end, Reply::End::kReset);
  EXPECT_EQ(openai("hang_mid", false, kHangLimit_ms).end, Reply::End::kTimeout);
  EXPECT_EQ(openai("short_cl", false).end, Reply::End::kCut);
  EXPECT_TRUE(Json::parse(openai("error_in_stream", false).body).contains("error"));
  EXPECT_TRUE(Json::parse(ollama("error_in_stream", false).body)["error"].is_string());
}

}  // namespace
}  // namespace assay::test
