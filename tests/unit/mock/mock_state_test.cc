#include <gtest/gtest.h>

#include "mock/model_table.h"
#include "mock/tokens.h"
#include "support/mock_calls.h"

namespace assay::test {
namespace {

using std::chrono::milliseconds;

Json usage_request(std::string_view prompt) {
  Json request = chat_request("mock", true, prompt);
  request["stream_options"] = {{"include_usage", true}};
  return request;
}

MonoNs first_due(const Reply& reply) {
  for (const Json& event : sse_json(reply.body)) {
    if (!streamed({event}).empty()) return event["assay_due_ns"].get<MonoNs>();
  }
  return 0;
}

TEST(MockTokens, WordsAndPunctuationWithTheWhiteSpaceBefore) {
  using Tokens = std::vector<std::string_view>;
  EXPECT_EQ(split_tokens("Hello, big_world 42!"), (Tokens{"Hello", ",", " big_world", " 42", "!"}));
  EXPECT_EQ(split_tokens("  a b \n"), (Tokens{"  a", " b \n"}));
  EXPECT_EQ(split_tokens("żółw 漢字"), (Tokens{"żółw", " 漢字"}));
  EXPECT_EQ(split_tokens(" "), (Tokens{" "}));
  EXPECT_TRUE(split_tokens("").empty());
  EXPECT_EQ(count_tokens("one two, three"), 4);
}

TEST(MockPrefixCache, CountsTheLongestSharedBeginning) {
  PrefixCache cache;
  EXPECT_EQ(cache.match_and_add({"a", "b", "c"}), 0);
  EXPECT_EQ(cache.match_and_add({"a", "b", "x", "y"}), 2);
  EXPECT_EQ(cache.match_and_add({"a", "b", "x", "z", "z"}), 3);
  EXPECT_EQ(cache.match_and_add({"b", "c"}), 0);
  // The last token is always evaluated.
  EXPECT_EQ(cache.match_and_add({"a", "b", "c"}), 2);
}

TEST(MockPrefix, UsageTimingsAndFirstTokenReflectIt) {
  MockOptions options = quick_options();
  options.prefix_cache = true;
  options.prefill_tps = 1000;  // 1 ms a token.
  options.role = RoleMode::kNone;
  const auto server = start_mock(options);
  const auto call = [&] {
    return chat(*server, usage_request("a b c d e f g h i j"), "X-Assay-Stamp: 1\r\n");
  };
  const MonoNs before = mono_now_ns();
  const Reply fresh = call();
  EXPECT_GE(first_due(fresh), before + 10'000'000);
  EXPECT_EQ(sse_json(fresh.body).back()["usage"]["prompt_tokens_details"]["cached_tokens"], 0);
  const Json reused = sse_json(call().body).back();
  EXPECT_EQ(reused["usage"]["prompt_tokens"], 10);
  EXPECT_EQ(reused["usage"]["prompt_tokens_details"]["cached_tokens"], 9);
  EXPECT_EQ(reused["timings"]["cache_n"], 9);
  EXPECT_EQ(reused["timings"]["prompt_n"], 1);
  EXPECT_DOUBLE_EQ(reused["timings"]["prompt_ms"].get<double>(), 1.0);
}

TEST(MockSlots, LaterRequestsWaitInOrder) {
  MockOptions options = quick_options();
  options.slots = 1;
  options.tokens = 4;
  options.gap = milliseconds(2);
  const auto server = start_mock(options);
  std::vector<std::unique_ptr<BlockingClient>> clients;
  for (int i = 0; i < 4; ++i) {
    clients.push_back(std::make_unique<BlockingClient>(server->port()));
    clients.back()->request("POST", "/v1/chat/completions", chat_request().dump(),
                            "X-Assay-Stamp: 1\r\n");
    // The count of requests shows that this one stands in the queue before the next is sent.
    while (server->stats().by_model["mock"] < i + 1) {
    }
  }
  MonoNs last_end = 0;
  for (auto& client : clients) {
    const Reply reply = client->read_reply();
    EXPECT_GE(first_due(reply), last_end);
    last_end = sse_json(reply.body).back()["assay_sent_ns"].get<MonoNs>();
  }
  EXPECT_EQ(server->stats().active_max, 1);
}

TEST(MockSlots, AClientThatLeavesGivesItsPlaceAway) {
  MockOptions options = quick_options();
  options.slots = 1;
  const auto server = start_mock(options);
  auto holder = std::make_unique<BlockingClient>(server->port());
  holder->request("POST", "/v1/chat/completions", chat_request("fault:hang_first").dump());
  while (server->stats().active < 1) {
  }
  auto waiter = std::make_unique<BlockingClient>(server->port());
  waiter->request("POST", "/v1/chat/completions", chat_request().dump());
  while (server->stats().queued < 1) {
  }
  waiter->close();
  while (server->stats().queued > 0) {
  }
  BlockingClient next(server->port());
  next.request("POST", "/v1/chat/completions", chat_request().dump());
  while (server->stats().queued < 1) {
  }
  holder->close();
  EXPECT_EQ(next.read_reply().end, Reply::End::kComplete);
}

TEST(MockLoad, FirstCallLoadsUntilAnUnload) {
  MockOptions options = quick_options();
  options.load_time = milliseconds(15);
  const auto server = start_mock(options);
  const auto load_of = [&](Json request) {
    return ndjson(post(*server, "/api/chat", request).body).back()["load_duration"].get<int64_t>();
  };
  EXPECT_TRUE(get(*server, "/api/ps")["models"].empty());
  EXPECT_EQ(load_of(chat_request()), 15'000'000);
  EXPECT_EQ(get(*server, "/api/ps")["models"][0]["name"], "mock");
  EXPECT_EQ(load_of(chat_request()), 0);
  Json unload = {{"model", "mock"}, {"keep_alive", 0}};
  EXPECT_EQ(Json::parse(post(*server, "/api/generate", unload).body)["done_reason"], "unload");
  EXPECT_TRUE(get(*server, "/api/ps")["models"].empty());
  EXPECT_EQ(load_of(chat_request()), 15'000'000);
}

TEST(MockLoad, AnEmptyRequestOnlyLoads) {
  MockOptions options = quick_options();
  options.load_time = milliseconds(5);
  const auto server = start_mock(options);
  const Json loaded = Json::parse(post(*server, "/api/generate", {{"model", "mock"}}).body);
  EXPECT_EQ(loaded["done_reason"], "load");
  EXPECT_EQ(loaded["response"], "");
  const auto lines = ndjson(post(*server, "/api/chat", chat_request()).body);
  EXPECT_EQ(lines.back()["load_duration"], 0);
}

TEST(MockLoad, CountsTowardsTheFirstTokenOfOpenAiStreamsToo) {
  MockOptions options = quick_options();
  options.load_time = milliseconds(10);
  const auto server = start_mock(options);
  const MonoNs before = mono_now_ns();
  const Reply reply = chat(*server, chat_request(), "X-Assay-Stamp: 1\r\n");
  EXPECT_GE(first_due(reply), before + 10'000'000);
}

TEST(MockStats, CountsRequestsEventsAndLateness) {
  const auto server = start_mock();
  chat(*server, chat_request("one"));
  chat(*server, chat_request("fault:500"));
  const Json stats = get(*server, "/stats");
  EXPECT_EQ(stats["requests"], 3);
  EXPECT_EQ(stats["by_path"]["/v1/chat/completions"], 2);
  EXPECT_EQ(stats["attempts"]["fault:500"], 1);
  EXPECT_EQ(stats["by_model"], Json({{"one", 1}}));
  EXPECT_EQ(stats["events_sent"], 11);  // role, 8 tokens, finish, [DONE].
  EXPECT_EQ(stats["open_streams"], 0);
  EXPECT_EQ(stats["active_max"], 1);
  EXPECT_GE(stats["lateness_ms"]["p99"].get<double>(), 0);
  EXPECT_EQ(stats["lateness_ms"]["count"], 10);
  EXPECT_EQ(http(server->port(), "POST", "/stats/reset").status, 200);
  EXPECT_EQ(get(*server, "/stats")["requests"], 1);
}

TEST(MockStats, HistogramQuantilesAreNearTheValues) {
  LatenessHistogram histogram;
  for (int i = 1; i <= 1000; ++i) histogram.add(Nanos(i * 1000));
  EXPECT_NEAR(static_cast<double>(histogram.quantile(0.5).count()), 500e3, 10e3);
  EXPECT_NEAR(static_cast<double>(histogram.quantile(0.99).count()), 990e3, 20e3);
  EXPECT_EQ(histogram.max(), Nanos(1'000'000));
}

TEST(MockServer, ResetPortResetsEveryConnection) {
  const auto server = start_mock();
  const Reply reply = http(server->reset_port(), "GET", "/health");
  EXPECT_EQ(reply.status, 0);
  EXPECT_EQ(reply.end, Reply::End::kReset);
  while (server->stats().reset_connections < 1) {
  }
}

TEST(MockServer, StopEndsOpenStreams) {
  const auto server = start_mock();
  BlockingClient client(server->port());
  client.request("POST", "/v1/chat/completions", chat_request("fault:hang_mid").dump());
  while (server->stats().open_streams < 1) {
  }
  server->stop();
  EXPECT_EQ(client.read_reply().end, Reply::End::kCut);
}

TEST(MockServer, RefusesOptionsOutOfRangeByName) {
  MockOptions options;
  options.reasoning_share = 1.5;
  const auto server = MockServer::start(options);
  ASSERT_FALSE(server.has_value());
  EXPECT_EQ(server.error().code, Errc::kInvalidArgument);
  EXPECT_NE(server.error().message.find("--reasoning-share"), std::string::npos);
}

TEST(MockOptions, WordsAreParsedAndOthersNamed) {
  EXPECT_EQ(parse_gap_distribution("lognormal"), GapDistribution::kLognormal);
  EXPECT_EQ(parse_role_mode("with-first"), RoleMode::kWithFirst);
  EXPECT_EQ(parse_reasoning_style("tags"), ReasoningStyle::kTags);
  EXPECT_EQ(parse_flavor("llamacpp"), Flavor::kLlamaCpp);
  const auto wrong = parse_flavor("sglang");
  ASSERT_FALSE(wrong.has_value());
  EXPECT_NE(wrong.error().message.find("ollama"), std::string::npos);
}

}  // namespace
}  // namespace assay::test
