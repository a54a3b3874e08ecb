#include <gtest/gtest.h>

#include <filesystem>

#include "base/files.h"
#include "mock/tokens.h"
#include "support/mock_calls.h"

namespace assay::test {
namespace {

TEST(MockOllama, ChatStreamsLinesAndAFinalOneWithTheNumbers) {
  MockOptions options = quick_options();
  options.ttft = std::chrono::milliseconds(2);
  options.gap = std::chrono::milliseconds(1);
  const auto server = start_mock(options);
  const Reply reply = post(*server, "/api/chat", chat_request());
  EXPECT_EQ(reply.header("Content-Type"), "application/x-ndjson");
  const auto lines = ndjson(reply.body);
  ASSERT_EQ(lines.size(), 9U);
  EXPECT_EQ(lines[0]["message"]["role"], "assistant");
  EXPECT_EQ(lines[0]["done"], false);
  EXPECT_EQ(lines[0]["created_at"].get<std::string>().size(), 27U);
  const Json& last = lines.back();
  EXPECT_EQ(last["done"], true);
  EXPECT_EQ(last["done_reason"], "stop");
  EXPECT_EQ(last["message"]["content"], "");
  EXPECT_EQ(last["prompt_eval_count"], 2);
  EXPECT_EQ(last["prompt_eval_duration"], 2'000'000);
  EXPECT_EQ(last["eval_count"], 8);
  EXPECT_EQ(last["eval_duration"], 7'000'000);
  EXPECT_EQ(last["load_duration"], 0);
  EXPECT_EQ(last["total_duration"], 9'000'000);
}

TEST(MockOllama, GenerateStreamsByDefaultAndGivesOneObjectWhenNot) {
  const auto server = start_mock();
  Json request = {{"model", "mock"}, {"prompt", "a b c"}};
  std::string text;
  for (const Json& line : ndjson(post(*server, "/api/generate", request).body)) {
    text += line["response"].get<std::string>();
  }
  EXPECT_EQ(count_tokens(text), 8);
  request["stream"] = false;
  const Json body = Json::parse(post(*server, "/api/generate", request).body);
  EXPECT_EQ(body["response"], text);
  EXPECT_EQ(body["eval_count"], 8);
  EXPECT_EQ(body["done"], true);
}

TEST(MockOllama, ThinkDecidesAboutReasoning) {
  MockOptions options = quick_options();
  options.reasoning_share = 0.5;
  const auto server = start_mock(options);
  Json request = chat_request();
  const auto lines = ndjson(post(*server, "/api/chat", request).body);
  EXPECT_TRUE(lines[0]["message"].contains("thinking"));
  EXPECT_EQ(lines[0]["message"]["content"], "");
  EXPECT_FALSE(lines[5]["message"].contains("thinking"));
  request["think"] = false;
  for (const Json& line : ndjson(post(*server, "/api/chat", request).body)) {
    EXPECT_FALSE(line["message"].contains("thinking"));
  }
}

TEST(MockOllama, NumPredictAndNumCtx) {
  const auto server = start_mock();
  Json request = chat_request("mock", true, "a b c d e f g h");
  request["options"] = {{"num_predict", 3}, {"num_ctx", 5}};
  const auto lines = ndjson(post(*server, "/api/chat", request).body);
  EXPECT_EQ(lines.back()["eval_count"], 3);
  EXPECT_EQ(lines.back()["done_reason"], "length");
  EXPECT_EQ(lines.back()["prompt_eval_count"], 5);
}

TEST(MockOllama, ErrorsAreATextInError) {
  const auto server = start_mock();
  const Reply reply = post(*server, "/api/chat", Json::object());
  EXPECT_EQ(reply.status, 400);
  EXPECT_EQ(Json::parse(reply.body), Json({{"error", "model is required"}}));
}

TEST(MockRoutes, ListsModelsInBothDialects) {
  MockOptions options = quick_options();
  options.models = {"alpha", "beta"};
  const auto server = start_mock(options);
  const Json models = get(*server, "/v1/models");
  EXPECT_EQ(models["object"], "list");
  EXPECT_EQ(models["data"][1]["id"], "beta");
  EXPECT_EQ(models["data"][0]["owned_by"], "llamacpp");
  const Json tags = get(*server, "/api/tags");
  EXPECT_EQ(tags["models"][0]["name"], "alpha");
  EXPECT_EQ(tags["models"][0]["digest"].get<std::string>().size(), 64U);
  EXPECT_EQ(tags["models"][0]["details"]["format"], "gguf");
}

TEST(MockRoutes, LlamaServerProbes) {
  MockOptions options = quick_options();
  options.flavor = Flavor::kLlamaCpp;
  options.ctx = 4096;
  options.slots = 3;
  const auto server = start_mock(options);
  EXPECT_EQ(get(*server, "/health"), Json({{"status", "ok"}}));
  const Json props = get(*server, "/props");
  EXPECT_EQ(props["default_generation_settings"]["n_ctx"], 4096);
  EXPECT_EQ(props["total_slots"], 3);
  const Json plain = Json::parse(post(*server, "/tokenize", {{"content", "one, two"}}).body);
  EXPECT_EQ(plain["tokens"].size(), 3U);
  const Json pieces = Json::parse(
      post(*server, "/tokenize", {{"content", "one, two"}, {"with_pieces", true}}).body);
  EXPECT_EQ(pieces["tokens"][2]["piece"], " two");
  EXPECT_EQ(pieces["tokens"][2]["id"], plain["tokens"][2]);
}

TEST(MockRoutes, OllamaProbes) {
  MockOptions options = quick_options();
  options.flavor = Flavor::kOllama;
  const auto server = start_mock(options);
  EXPECT_TRUE(get(*server, "/api/version")["version"].is_string());
  EXPECT_EQ(http(server->port(), "GET", "/").body, "Ollama is running");
  const Json show = Json::parse(post(*server, "/api/show", {{"model", "mock"}}).body);
  EXPECT_EQ(show["details"]["family"], "mock");
  EXPECT_TRUE(show["model_info"].contains("mock.context_length"));
}

TEST(MockRoutes, EachFlavorAnswersOnlyItsOwn) {
  struct Case {
    Flavor flavor;
    int props, version, chat;
  };
  for (const Case& c :
       {Case{Flavor::kOpenAi, 404, 404, 404}, Case{Flavor::kLlamaCpp, 200, 404, 404},
        Case{Flavor::kOllama, 404, 200, 200}, Case{Flavor::kAll, 404, 404, 200}}) {
    MockOptions options = quick_options();
    options.flavor = c.flavor;
    const auto server = start_mock(options);
    EXPECT_EQ(http(server->port(), "GET", "/props").status, c.props);
    EXPECT_EQ(http(server->port(), "GET", "/api/version").status, c.version);
    EXPECT_EQ(http(server->port(), "GET", "/v1/models").status, 200);
    EXPECT_EQ(post(*server, "/api/chat", chat_request()).status, c.chat);
  }
}

TEST(MockRoutes, KnownPathWithAnotherMethod) {
  const auto server = start_mock();
  EXPECT_EQ(http(server->port(), "GET", "/tokenize").status, 405);
  EXPECT_EQ(http(server->port(), "GET", "/nothing").status, 404);
}

TEST(MockRoutes, ApiKeyGuardsAllButHealth) {
  MockOptions options = quick_options();
  options.api_key = "sk-right";
  const auto server = start_mock(options);
  EXPECT_EQ(http(server->port(), "GET", "/v1/models").status, 401);
  EXPECT_EQ(chat(*server, chat_request()).status, 401);
  EXPECT_EQ(chat(*server, chat_request(), "Authorization: Bearer wrong\r\n").status, 401);
  EXPECT_EQ(chat(*server, chat_request(), "Authorization: Bearer sk-right\r\n").status, 200);
  EXPECT_EQ(http(server->port(), "GET", "/health").status, 200);
}

class MockScript : public ::testing::Test {
 protected:
  void TearDown() override { std::filesystem::remove(path_); }
  Result<std::map<std::string, std::string>> read(std::string_view text) {
    EXPECT_TRUE(write_file_atomic(path_, text).has_value());
    return read_script(path_);
  }
  const std::filesystem::path path_ =
      std::filesystem::temp_directory_path() / ("mock_script_" + std::to_string(::getpid()));
};

TEST_F(MockScript, ReadsAnObject) {
  const auto script = read(R"({"a": "1", "*": "2"})");
  ASSERT_TRUE(script.has_value());
  EXPECT_EQ(script->at("*"), "2");
}

TEST_F(MockScript, ReadsLines) {
  const auto script =
      read("{\"prompt\":\"a\",\"answer\":\"1\"}\n\n{\"prompt\":\"b\",\"answer\":\"2\"}\n");
  ASSERT_TRUE(script.has_value());
  EXPECT_EQ(script->at("b"), "2");
  EXPECT_EQ(read(R"({"prompt":"only","answer":"one"})")->at("only"), "one");
}

TEST_F(MockScript, NamesTheLineThatIsWrong) {
  const auto script = read("{\"prompt\":\"a\",\"answer\":\"1\"}\nnonsense\n");
  ASSERT_FALSE(script.has_value());
  EXPECT_NE(script.error().message.find("line 2"), std::string::npos);
}

}  // namespace
}  // namespace assay::test
