#include <gtest/gtest.h>

#include "mock/tokens.h"
#include "support/mock_calls.h"

namespace assay::test {
namespace {

TEST(MockOpenAi, StreamsRoleThenTokensThenFinishThenDone) {
  const auto server = start_mock();
  ASSERT_NE(server, nullptr);
  const Reply reply = chat(*server, chat_request());
  EXPECT_EQ(reply.status, 200);
  EXPECT_EQ(reply.end, Reply::End::kComplete);
  EXPECT_EQ(reply.header("Content-Type"), "text/event-stream");
  const auto events = sse_json(reply.body);
  ASSERT_EQ(events.size(), 10U);
  EXPECT_EQ(events[0]["choices"][0]["delta"], Json({{"role", "assistant"}, {"content", ""}}));
  EXPECT_EQ(events[0]["object"], "chat.completion.chunk");
  EXPECT_EQ(events[0]["model"], "mock");
  EXPECT_EQ(count_tokens(streamed(events)), 8);
  EXPECT_EQ(events[9]["choices"][0]["delta"], Json::object());
  EXPECT_EQ(finish_reason(events), "stop");
  EXPECT_TRUE(has_done(reply));
}

TEST(MockOpenAi, UsageComesInAChunkOfItsOwnWhenAsked) {
  const auto server = start_mock();
  Json request = chat_request();
  request["stream_options"] = {{"include_usage", true}};
  const auto events = sse_json(chat(*server, request).body);
  const Json& last = events.back();
  EXPECT_TRUE(last["choices"].empty());
  EXPECT_EQ(last["usage"]["prompt_tokens"], 2);
  EXPECT_EQ(last["usage"]["completion_tokens"], 8);
  EXPECT_EQ(last["usage"]["total_tokens"], 10);
  EXPECT_EQ(last["usage"]["prompt_tokens_details"]["cached_tokens"], 0);
  EXPECT_EQ(last["timings"]["predicted_n"], 8);
}

TEST(MockOpenAi, WithoutTheAskTimingsAreInTheFinishChunkAndUsageIsNowhere) {
  const auto server = start_mock();
  const auto events = sse_json(chat(*server, chat_request()).body);
  EXPECT_EQ(events.back()["timings"]["prompt_n"], 2);
  for (const Json& event : events) EXPECT_FALSE(event.contains("usage"));
}

TEST(MockOpenAi, PureFlavorHasNoTimingsAndNullUsageBeforeTheLastChunk) {
  MockOptions options = quick_options();
  options.flavor = Flavor::kOpenAi;
  const auto server = start_mock(options);
  Json request = chat_request();
  request["stream_options"] = {{"include_usage", true}};
  const auto events = sse_json(chat(*server, request).body);
  EXPECT_TRUE(events.front()["usage"].is_null());
  EXPECT_EQ(events.back()["usage"]["completion_tokens"], 8);
  EXPECT_FALSE(events.back().contains("timings"));
}

TEST(MockOpenAi, UsageOffMeansNoneAnywhere) {
  MockOptions options = quick_options();
  options.usage = false;
  const auto server = start_mock(options);
  Json request = chat_request();
  request["stream_options"] = {{"include_usage", true}};
  const auto events = sse_json(chat(*server, request).body);
  for (const Json& event : events) EXPECT_FALSE(event.contains("usage")) << event;
}

TEST(MockOpenAi, WholeAnswerHasMessageUsageAndTimings) {
  const auto server = start_mock();
  const Reply reply = chat(*server, chat_request("mock", false));
  EXPECT_EQ(reply.header("Content-Type"), "application/json");
  const Json body = Json::parse(reply.body);
  EXPECT_EQ(body["object"], "chat.completion");
  EXPECT_EQ(body["choices"][0]["message"]["role"], "assistant");
  EXPECT_EQ(count_tokens(body["choices"][0]["message"]["content"].get<std::string>()), 8);
  EXPECT_EQ(body["choices"][0]["finish_reason"], "stop");
  EXPECT_EQ(body["usage"]["completion_tokens"], 8);
  EXPECT_EQ(body["timings"]["cache_n"], 0);
}

TEST(MockOpenAi, TextCompletionsStreamAndWhole) {
  const auto server = start_mock();
  Json request = {{"model", "mock"}, {"prompt", "one two three"}, {"stream", true}};
  const auto events = sse_json(post(*server, "/v1/completions", request).body);
  std::string text;
  for (const Json& event : events) {
    EXPECT_EQ(event["object"], "text_completion");
    text += event["choices"][0]["text"].get<std::string>();
  }
  EXPECT_EQ(count_tokens(text), 8);
  request["stream"] = false;
  const Json body = Json::parse(post(*server, "/v1/completions", request).body);
  EXPECT_EQ(body["choices"][0]["text"], text);
  EXPECT_EQ(body["usage"]["prompt_tokens"], 3);
}

TEST(MockOpenAi, MaxTokensCapsAndSaysLength) {
  const auto server = start_mock();
  Json request = chat_request();
  request["max_tokens"] = 3;
  const auto events = sse_json(chat(*server, request).body);
  EXPECT_EQ(count_tokens(streamed(events)), 3);
  EXPECT_EQ(finish_reason(events), "length");
}

TEST(MockOpenAi, IgnoreEosAndMinTokensGiveExactlyMaxTokens) {
  const auto server = start_mock();
  Json request = chat_request();
  request["max_tokens"] = 40;
  EXPECT_EQ(count_tokens(streamed(sse_json(chat(*server, request).body))), 8);
  request["ignore_eos"] = true;
  EXPECT_EQ(count_tokens(streamed(sse_json(chat(*server, request).body))), 40);
  request.erase("ignore_eos");
  request["min_tokens"] = 40;
  EXPECT_EQ(count_tokens(streamed(sse_json(chat(*server, request).body))), 40);
}

TEST(MockOpenAi, RoleModes) {
  MockOptions options = quick_options();
  options.role = RoleMode::kWithFirst;
  auto server = start_mock(options);
  auto events = sse_json(chat(*server, chat_request()).body);
  EXPECT_EQ(events[0]["choices"][0]["delta"]["role"], "assistant");
  EXPECT_NE(events[0]["choices"][0]["delta"]["content"], "");
  EXPECT_FALSE(events[1]["choices"][0]["delta"].contains("role"));
  options.role = RoleMode::kNone;
  server = start_mock(options);
  events = sse_json(chat(*server, chat_request()).body);
  EXPECT_EQ(events.size(), 9U);
  for (const Json& event : events) EXPECT_FALSE(event["choices"][0]["delta"].contains("role"));
}

TEST(MockOpenAi, TokensPerEventAndCoalescing) {
  MockOptions options = quick_options();
  options.tokens_per_event = 3;
  options.role = RoleMode::kNone;
  auto server = start_mock(options);
  const auto events = sse_json(chat(*server, chat_request()).body);
  EXPECT_EQ(events.size(), 4U);  // 3 + 3 + 2 tokens, finish.
  options.tokens_per_event = 1;
  options.coalesce = 4;
  server = start_mock(options);
  const Reply reply = chat(*server, chat_request());
  ASSERT_EQ(reply.chunks.size(), 3U);  // 4 + 4 events, the end.
  EXPECT_EQ(sse_data(reply.chunks[0]).size(), 4U);
}

TEST(MockOpenAi, ReasoningShareComesFirstInItsOwnField) {
  MockOptions options = quick_options();
  options.reasoning_share = 0.25;
  const auto server = start_mock(options);
  Json request = chat_request();
  request["stream_options"] = {{"include_usage", true}};
  const auto events = sse_json(chat(*server, request).body);
  EXPECT_EQ(count_tokens(streamed(events, "reasoning_content")), 2);
  EXPECT_EQ(count_tokens(streamed(events)), 6);
  EXPECT_EQ(events.back()["usage"]["completion_tokens"], 8);
  EXPECT_EQ(events.back()["usage"]["completion_tokens_details"]["reasoning_tokens"], 2);
  const Json body = Json::parse(chat(*server, chat_request("mock", false)).body);
  EXPECT_EQ(count_tokens(body["choices"][0]["message"]["reasoning_content"].get<std::string>()), 2);
}

TEST(MockOpenAi, ReasoningAsTagsInsideTheContent) {
  MockOptions options = quick_options();
  options.reasoning_share = 0.5;
  options.reasoning_style = ReasoningStyle::kTags;
  const auto server = start_mock(options);
  const std::string text = streamed(sse_json(chat(*server, chat_request()).body));
  EXPECT_TRUE(text.starts_with("<think>")) << text;
  EXPECT_NE(text.find("</think>"), std::string::npos) << text;
}

TEST(MockOpenAi, ScriptAnswersTheLastUserMessage) {
  MockOptions options = quick_options();
  options.answers = {{"2+2?", "It is 4, of course."}, {"*", "I do not know."}};
  const auto server = start_mock(options);
  EXPECT_EQ(streamed(sse_json(chat(*server, chat_request("mock", true, "2+2?")).body)),
            "It is 4, of course.");
  EXPECT_EQ(streamed(sse_json(chat(*server, chat_request("mock", true, "else")).body)),
            "I do not know.");
}

TEST(MockOpenAi, SameSeedAndPromptSameAnswer) {
  const auto first = start_mock();
  const auto second = start_mock();
  MockOptions other = quick_options();
  other.seed = 1;
  const auto third = start_mock(other);
  const auto text = [](const MockServer& server) {
    return streamed(sse_json(chat(server, chat_request()).body));
  };
  EXPECT_EQ(text(*first), text(*second));
  EXPECT_NE(text(*first), text(*third));
}

TEST(MockOpenAi, BadBodiesAreRefusedAndTheConnectionStays) {
  const auto server = start_mock();
  BlockingClient client(server->port());
  EXPECT_EQ(client.exchange("POST", "/v1/chat/completions", "{nonsense").status, 400);
  EXPECT_EQ(client.exchange("POST", "/v1/chat/completions", R"({"model":"m"})").status, 400);
  EXPECT_EQ(client.exchange("POST", "/v1/chat/completions", chat_request().dump()).status, 200);
  EXPECT_EQ(client.exchange("GET", "/v1/models").status, 200);
}

TEST(MockOpenAi, ContextThatIsTooSmall) {
  MockOptions options = quick_options();
  options.ctx = 8;
  const auto server = start_mock(options);
  const Reply reply = chat(*server, chat_request("mock", true, "a b c d e f g h i"));
  EXPECT_EQ(reply.status, 400);
  const Json error = Json::parse(reply.body)["error"];
  EXPECT_EQ(error["type"], "exceed_context_size_error");
  EXPECT_EQ(error["n_prompt_tokens"], 9);
  EXPECT_EQ(error["n_ctx"], 8);
  const auto events = sse_json(chat(*server, chat_request("mock", true, "a b c d e f")).body);
  EXPECT_EQ(count_tokens(streamed(events)), 2);
  EXPECT_EQ(finish_reason(events), "length");
}

}  // namespace
}  // namespace assay::test
