// Every adapter reads every kind of stream the same way, wherever the network cuts it.
#include <gtest/gtest.h>

#include <fstream>
#include <sstream>

#include "engines/answer_reader.h"
#include "engines/builtin.h"

namespace assay {
namespace {

constexpr MonoNs kEpoch = 1'000'000'000;

struct Case {
  std::string name;
  std::string sse;    ///< Empty: the dialect cannot say it.
  std::string lines;  ///< The same for Ollama.
  std::string text = "Hello world";
  Outcome outcome = Outcome::kOk;
  std::string error_code;
  std::vector<std::string> flags;
  int64_t reasoning_bytes = 0;
  bool first_visible = true;
  std::string content_type_sse = "text/event-stream";
};

std::string chunk(const std::string& delta, const std::string& finish = "null") {
  return R"({"id":"c","object":"chat.completion.chunk","choices":[{"index":0,"delta":)" + delta +
         R"(,"finish_reason":)" + finish + "}]}";
}
std::string data(const std::string& payload) { return "data: " + payload + "\n\n"; }
const std::string kHello = data(chunk(R"({"content":"Hello"})"));
const std::string kWorld = data(chunk(R"({"content":" world"})"));
const std::string kStop = data(chunk("{}", R"("stop")"));
const std::string kDone = "data: [DONE]\n\n";

std::string line(const std::string& message, bool done = false) {
  return R"({"model":"m","message":)" + message +
         (done ? R"(,"done":true,"done_reason":"stop"})" : R"(,"done":false})") + "\n";
}
const std::string kLineHello = line(R"({"role":"assistant","content":"Hello"})");
const std::string kLineWorld = line(R"({"role":"assistant","content":" world"})");
const std::string kLineDone = line(R"({"role":"assistant","content":""})", true);

std::string replace_all(std::string text, const std::string& from, const std::string& to) {
  for (size_t at = text.find(from); at != std::string::npos; at = text.find(from, at + to.size())) {
    text.replace(at, from.size(), to);
  }
  return text;
}

std::vector<Case> cases() {
  const std::string plain = kHello + kWorld + kStop + kDone;
  const std::string plain_lines = kLineHello + kLineWorld + kLineDone;
  std::vector<Case> all;
  const auto add = [&](Case c) { all.push_back(std::move(c)); };
  add({.name = "plain", .sse = plain, .lines = plain_lines});
  add({.name = "crlf",
       .sse = replace_all(plain, "\n", "\r\n"),
       .lines = replace_all(plain_lines, "\n", "\r\n")});
  add({.name = "cr_only", .sse = replace_all(plain, "\n", "\r")});
  add({.name = "byte_order_mark", .sse = "\xef\xbb\xbf" + plain});
  add({.name = "no_space", .sse = replace_all(plain, "data: ", "data:")});
  add({.name = "comments",
       .sse = ": ping\n\n" + kHello + ":\n\n: x\n" + kWorld + kStop + kDone,
       .lines = "\n" + kLineHello + "\n\n" + kLineWorld + kLineDone});
  add({.name = "multi_data",
       .sse =
           kHello + replace_all(kWorld, R"(,"choices")", ",\ndata: \"choices\"") + kStop + kDone});
  add({.name = "role_first",
       .sse = data(chunk(R"({"role":"assistant","content":""})")) + plain,
       .lines = line(R"({"role":"assistant","content":""})") + plain_lines});
  add({.name = "null_first", .sse = data(chunk(R"({"role":"assistant","content":null})")) + plain});
  add({.name = "several_tokens_in_one_event",
       .sse = data(chunk(R"({"content":"Hello world"})")) + kStop + kDone,
       .lines = line(R"({"role":"assistant","content":"Hello world"})") + kLineDone});
  add({.name = "utf8",
       .sse = data(chunk(R"({"content":"gr\u00fc\u00dfe \ud83d\ude00 )"
                         "\xc3\xa9\xe2\x82\xac\"}")) +
              kStop + kDone,
       .lines = line(R"({"content":"gr\u00fc\u00dfe \ud83d\ude00 )"
                     "\xc3\xa9\xe2\x82\xac\"}") +
                kLineDone,
       .text = "gr\xc3\xbc\xc3\x9f"
               "e \xf0\x9f\x98\x80 \xc3\xa9\xe2\x82\xac"});
  add({.name = "invalid_utf8",
       .sse = data(chunk("{\"content\":\"Hello w\xffrld\"}")) + kStop + kDone,
       .lines = line("{\"content\":\"Hello w\xffrld\"}") + kLineDone,
       .text = "Hello w\xef\xbf\xbdrld",
       .flags = {"invalid_utf8"}});
  add({.name = "usage_only_chunk",
       .sse = kHello + kWorld + kStop +
              data(R"({"choices":[],"usage":{"prompt_tokens":7,"completion_tokens":2}})") + kDone});
  add({.name = "empty_choices", .sse = data(R"({"choices":[]})") + plain});
  add({.name = "usage_null", .sse = data(R"({"choices":[],"usage":null})") + plain});
  for (const char* field : {"reasoning", "reasoning_content", "thinking"}) {
    add({.name = std::string("reasoning_field_") + field,
         .sse = data(chunk(std::string(R"({")") + field + R"(":"hmm"})")) + plain,
         .lines = line(R"({"thinking":"hmm"})") + plain_lines,
         .reasoning_bytes = 3});
  }
  add({.name = "think_tags",
       .sse = data(chunk(R"({"content":"<th"})")) + data(chunk(R"({"content":"ink>hm</thi"})")) +
              data(chunk(R"({"content":"nk>"})")) + plain,
       .lines = line(R"({"content":"<th"})") + line(R"({"content":"ink>hm</thi"})") +
                line(R"({"content":"nk>"})") + plain_lines,
       .reasoning_bytes = 17});
  add({.name = "tag_that_is_none",
       .sse = data(chunk(R"({"content":"<thy"})")) + kStop + kDone,
       .lines = line(R"({"content":"<thy"})") + kLineDone,
       .text = "<thy"});
  add({.name = "tag_cut_at_the_end",
       .sse = data(chunk(R"({"content":"<thi"})")) + kStop + kDone,
       .lines = line(R"({"content":"<thi"})") + kLineDone,
       .text = "<thi"});
  add({.name = "refusal", .sse = data(chunk(R"({"refusal":"Hello world"})")) + kStop + kDone});
  add({.name = "tool_call",
       .sse =
           data(chunk(R"({"tool_calls":[{"index":0,"function":{"name":"f","arguments":""}}]})")) +
           data(chunk(R"({"tool_calls":[{"index":0,"function":{"arguments":"{\"a\":"}}]})")) +
           data(chunk(R"({"tool_calls":[{"index":0,"function":{"arguments":"1}"}}]})")) +
           data(chunk("{}", R"("tool_calls")")) + kDone,
       .lines =
           line(R"({"content":"","tool_calls":[{"function":{"name":"f","arguments":{"a":1}}}]})") +
           kLineDone,
       .text = "",
       .first_visible = false});
  add({.name = "no_visible_text",
       .sse = data(chunk(R"({"content":" \n"})")) + kStop + kDone,
       .lines = line(R"({"content":" \n"})") + kLineDone,
       .text = " \n",
       .flags = {"empty"},
       .first_visible = false});
  add({.name = "length",
       .sse = kHello + kWorld + data(chunk("{}", R"("length")")) + kDone,
       .lines = kLineHello + kLineWorld + replace_all(kLineDone, R"("stop")", R"("length")"),
       .flags = {"length"}});
  add({.name = "no_done", .sse = kHello + kWorld + kStop, .flags = {"no_done"}});
  add({.name = "no_finish_reason",
       .sse = kHello + kWorld + kDone,
       .lines = kLineHello + kLineWorld,
       .outcome = Outcome::kError,
       .error_code = "incomplete"});
  add({.name = "error_object_in_stream",
       .sse = kHello + data(R"({"error":{"message":"out of memory","code":500}})") + kDone,
       .lines = kLineHello + R"({"error":"out of memory"})"
                             "\n",
       .text = "Hello",
       .outcome = Outcome::kError,
       .error_code = "error_in_stream"});
  add({.name = "line_without_an_end_after_bad_json",
       .sse = "",
       .lines = kLineHello + "{\n" + kLineWorld.substr(0, kLineWorld.size() - 1),
       .text = "Hello",
       .outcome = Outcome::kError,
       .error_code = "bad_json"});
  add({.name = "bad_json",
       .sse = kHello + data(R"({"choices":[{)") + kDone,
       .lines = kLineHello + "{\"message\":\n",
       .text = "Hello",
       .outcome = Outcome::kError,
       .error_code = "bad_json"});
  add({.name = "almost_null",
       .sse = kHello + data(chunk("nope")) + kDone,
       .lines = kLineHello + "{\"message\":nope}\n",
       .text = "Hello",
       .outcome = Outcome::kError,
       .error_code = "bad_json"});
  add({.name = "bad_usage",
       .sse = kHello + kWorld + kStop +
              data(R"({"choices":[],"usage":{"prompt_tokens":-4,"completion_tokens":1e99}})") +
              kDone,
       .lines = kLineHello + kLineWorld +
                R"({"message":{"content":""},"done":true,"done_reason":"stop","eval_count":-3})"
                "\n",
       .flags = {"bad_usage"}});
  add({.name = "html",
       .sse = "<html><body>gateway</body></html>",
       .text = "",
       .outcome = Outcome::kError,
       .error_code = "not_a_stream",
       .first_visible = false,
       .content_type_sse = "text/html"});
  add({.name = "unstreamed",
       .sse = R"({"choices":[{"message":{"role":"assistant","content":"Hello world"},)"
              R"("finish_reason":"stop"}],"usage":{"prompt_tokens":3,"completion_tokens":2}})",
       .flags = {"not_streamed"},
       .first_visible = false,
       .content_type_sse = "application/json"});
  return all;
}

struct Outcomes {
  CallRecord record;
  std::string text;
};

/// Feeds the body in pieces, a read each, 1 ms apart.
Outcomes read_body(Engine& engine, const std::vector<std::string_view>& pieces,
                   const std::string& content_type) {
  Outcomes out;
  out.record.at.sent = 0;
  const CallRequest request("m", "p", CallSettings());
  StreamRecorder recorder(out.record, kEpoch, request, nullptr, nullptr);
  AnswerReader reader(engine, recorder);
  ResponseHead head;
  head.status = 200;
  head.headers = {{"content-type", content_type}};
  MonoNs at = kEpoch;
  for (const std::string_view piece : pieces) {
    at += 1'000'000;
    const std::string copy(piece);  // So that a sanitizer sees a read past its end.
    if (!reader.feed(head, copy, Stamp{at, at, true})) break;
  }
  reader.end(head, std::nullopt, Expired::kNo);
  out.text = recorder.text();
  return out;
}

void expect_case(const Case& c, const Outcomes& got, const std::string& how) {
  SCOPED_TRACE(c.name + ", " + how);
  EXPECT_EQ(got.record.outcome, c.outcome) << got.record.error.value_or("");
  EXPECT_EQ(got.record.error_code.value_or(""), c.error_code);
  EXPECT_EQ(got.text, c.text);
  EXPECT_EQ(got.record.flags, c.flags);
  EXPECT_EQ(got.record.reasoning_bytes, c.reasoning_bytes);
  EXPECT_EQ(got.record.at.first_visible.has_value(), c.first_visible);
}

class Conformance : public testing::TestWithParam<std::string> {};

TEST_P(Conformance, EveryStreamCutAtEveryByte) {
  boost::asio::io_context io;
  HttpClient http(io);
  const auto engine = find_engine(GetParam()).value()->make(http, Url(), Secret());
  const bool lines = engine->framing() == Framing::kLines;
  for (const Case& c : cases()) {
    const std::string& body = lines ? c.lines : c.sse;
    if (body.empty()) continue;
    const std::string type = lines ? "application/x-ndjson" : c.content_type_sse;
    const std::string_view view(body);
    expect_case(c, read_body(*engine, {view}, type), "whole");
    for (size_t cut = 1; cut < view.size(); ++cut) {
      expect_case(c, read_body(*engine, {view.substr(0, cut), view.substr(cut)}, type),
                  "cut at " + std::to_string(cut));
      if (HasFailure()) return;
    }
    std::vector<std::string_view> bytes;
    for (size_t i = 0; i < view.size(); ++i) bytes.push_back(view.substr(i, 1));
    expect_case(c, read_body(*engine, bytes, type), "byte by byte");
  }
}

INSTANTIATE_TEST_SUITE_P(Engines, Conformance,
                         testing::Values("openai", "llamacpp", "ollama", "lmstudio", "vllm"));

std::string golden(const std::string& name) {
  std::ifstream file(std::string(ASSAY_TEST_DATA) + "/streams/" + name, std::ios::binary);
  std::ostringstream text;
  text << file.rdbuf();
  return text.str();
}

TEST(DocumentedStreams, LlamaServerCountsAndTimings) {
  boost::asio::io_context io;
  HttpClient http(io);
  const auto engine = make_llamacpp(http, Url(), Secret());
  const std::string body = golden("llamacpp_chat.sse");
  ASSERT_FALSE(body.empty());
  const auto got = read_body(*engine, {body}, "text/event-stream");
  const CallRecord& r = got.record;
  EXPECT_EQ(r.outcome, Outcome::kOk);
  EXPECT_EQ(got.text, "The sky");
  EXPECT_EQ(r.prompt_tokens, 21);
  EXPECT_EQ(r.usage_output_tokens, 2);
  EXPECT_EQ(r.cached_tokens, 5);
  EXPECT_EQ(r.engine.prompt_tokens, 16);
  EXPECT_EQ(r.engine.prefill_ms, 53.5);
  EXPECT_EQ(r.engine.decode_ms, 21.25);
  EXPECT_TRUE(r.at.first_role);
}

TEST(DocumentedStreams, OllamaDurations) {
  boost::asio::io_context io;
  HttpClient http(io);
  const auto engine = make_ollama(http, Url(), Secret());
  const std::string body = golden("ollama_chat.ndjson");
  ASSERT_FALSE(body.empty());
  const auto got = read_body(*engine, {body}, "application/x-ndjson");
  const CallRecord& r = got.record;
  EXPECT_EQ(r.outcome, Outcome::kOk);
  EXPECT_EQ(got.text, "The sky is blue.");
  EXPECT_EQ(r.prompt_tokens, 26);
  EXPECT_EQ(r.engine.output_tokens, 282);
  EXPECT_DOUBLE_EQ(*r.engine.load_ms, 1.334875);
  EXPECT_DOUBLE_EQ(*r.engine.prefill_ms, 342.546);
  EXPECT_DOUBLE_EQ(*r.engine.decode_ms, 4535.599);
}

TEST(DocumentedStreams, LmStudioEventsAndStatistics) {
  boost::asio::io_context io;
  HttpClient http(io);
  const auto engine = make_lmstudio(http, Url(), Secret());
  const std::string body = golden("lmstudio_chat.sse");
  ASSERT_FALSE(body.empty());
  for (size_t cut = 1; cut < body.size(); ++cut) {
    const std::string_view view(body);
    const auto got =
        read_body(*engine, {view.substr(0, cut), view.substr(cut)}, "text/event-stream");
    const CallRecord& r = got.record;
    ASSERT_EQ(r.outcome, Outcome::kOk) << "cut at " << cut << ": " << r.error.value_or("");
    ASSERT_EQ(got.text, "The current");
    ASSERT_EQ(r.reasoning_bytes, 7);
    ASSERT_EQ(r.text_events, 2);
    ASSERT_EQ(r.prompt_tokens, 329);
    ASSERT_EQ(r.engine.output_tokens, 268);
    ASSERT_EQ(r.reasoning_tokens, 5);
    ASSERT_EQ(r.engine.decode_tps, 43.73);
    ASSERT_DOUBLE_EQ(*r.engine.load_ms, 12'340);
    ASSERT_DOUBLE_EQ(*r.engine.ttft_ms, 781);
    ASSERT_TRUE(r.at.load_start && r.at.load_end && r.at.prefill_start && r.at.prefill_end);
    ASSERT_EQ(r.finish_reason, "stop");
  }
}

TEST(DocumentedStreams, LmStudioError) {
  boost::asio::io_context io;
  HttpClient http(io);
  const auto engine = make_lmstudio(http, Url(), Secret());
  const auto got = read_body(*engine, {golden("lmstudio_error.sse")}, "text/event-stream");
  EXPECT_EQ(got.record.error_code, "error_in_stream");
  EXPECT_NE(got.record.error->find("\"model\" is required"), std::string::npos);
}

TEST(DocumentedStreams, LmStudioOlderAnswer) {
  boost::asio::io_context io;
  HttpClient http(io);
  const auto engine = make_lmstudio(http, Url(), Secret());
  const auto got = read_body(*engine, {golden("lmstudio_v0_chat.json")}, "application/json");
  const CallRecord& r = got.record;
  EXPECT_EQ(r.outcome, Outcome::kOk) << r.error.value_or("");
  EXPECT_EQ(r.usage_output_tokens, 53);
  EXPECT_DOUBLE_EQ(*r.engine.decode_ms, 954);
  EXPECT_DOUBLE_EQ(*r.engine.ttft_ms, 111);
}

TEST(StreamRecorder, InstantsFollowTheirEvents) {
  boost::asio::io_context io;
  HttpClient http(io);
  const auto engine = make_openai(http, Url(), Secret());
  const std::string role = data(chunk(R"({"role":"assistant","content":""})"));
  const std::string tag = data(chunk(R"({"content":"<thi"})"));
  const std::string rest = data(chunk(R"({"content":"nk>a</think>"})"));
  const auto got =
      read_body(*engine, {role, tag, rest, kHello, kWorld, kStop, kDone}, "text/event-stream");
  const Instants& at = got.record.at;
  EXPECT_EQ(at.first_event, 1'000'000);
  EXPECT_EQ(at.first_role, 1'000'000);
  EXPECT_EQ(at.first_text, 2'000'000);
  EXPECT_EQ(at.first_reasoning, 2'000'000);  // The tag belongs to the event with its first byte.
  EXPECT_EQ(at.first_visible, 4'000'000);
  EXPECT_EQ(at.last_text, 5'000'000);
  EXPECT_EQ(at.done, 7'000'000);
  EXPECT_EQ(got.record.text_events, 4);
}

TEST(StreamRecorder, EventsOfOneReadAreCoalescedByWhoeverWasLate) {
  boost::asio::io_context io;
  HttpClient http(io);
  const auto engine = make_openai(http, Url(), Secret());
  CallRecord record;
  record.at.sent = 0;
  const CallRequest request("m", "p", CallSettings());
  StreamRecorder recorder(record, kEpoch, request, nullptr, nullptr);
  AnswerReader reader(*engine, recorder);
  ResponseHead head;
  head.status = 200;
  head.headers = {{"content-type", "text/event-stream"}};
  const MonoNs at = kEpoch + 5'000'000;
  reader.feed(head, kHello + kWorld, Stamp{at, at + 10'000, true});              // Came together.
  reader.feed(head, kHello + kWorld + kHello, Stamp{at, at + 4'000'000, true});  // We were late.
  reader.feed(head, kStop + kDone, Stamp{at, at, true});
  reader.end(head, std::nullopt, Expired::kNo);
  EXPECT_EQ(record.server_coalesced, 2);
  EXPECT_EQ(record.client_coalesced, 3);
  EXPECT_EQ(record.reads, 2);
  EXPECT_EQ(record.client_lag_max_us, 4'000);
}

TEST(StreamRecorder, AnEndlessAnswerIsCut) {
  boost::asio::io_context io;
  HttpClient http(io);
  const auto engine = make_openai(http, Url(), Secret());
  CallRecord record;
  CallSettings settings;
  settings.max_tokens = 10;
  const CallRequest request("m", "p", settings);
  StreamRecorder recorder(record, kEpoch, request, nullptr, nullptr);
  AnswerReader reader(*engine, recorder);
  ResponseHead head;
  head.status = 200;
  head.headers = {{"content-type", "text/event-stream"}};
  int fed = 0;
  while (fed < 1000 && reader.feed(head, kHello, Stamp{kEpoch, kEpoch, true})) ++fed;
  reader.end(head, std::nullopt, Expired::kNo);
  EXPECT_LT(fed, 100);
  EXPECT_EQ(record.error_code, "over_limit");
}

}  // namespace
}  // namespace assay
