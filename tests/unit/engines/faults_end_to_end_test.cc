// Every fault of the mock engine through the client that measures: real sockets, both dialects.
#include <gtest/gtest.h>

#include "engines/call.h"
#include "mock/faults.h"
#include "run/retry_rule.h"
#include "run/session.h"
#include "run/wait_for.h"
#include "support/mock_calls.h"

namespace assay::test {
namespace {

/// Characters of one to four bytes, quotes and a line end.
constexpr std::string_view kAnswer = "Grüße, \"wörld\"\n漢字 😀 &amp; \\ five";
constexpr int64_t kRetries = 3;

Task<int> done(Task<void> call) {
  co_await std::move(call);
  co_return 0;
}

/// One planned call as a run makes it, without the waits between its attempts.
struct Driven {
  std::vector<CallResult> attempts;
  [[nodiscard]] const CallResult& last() const { return attempts.back(); }
};

/// The limit that `words` name is short; every other is longer than any answer takes.
Limits limits_for(std::string_view words) {
  constexpr Nanos kShort = std::chrono::milliseconds(80);
  Limits limits;
  limits.first_byte = limits.first_token = limits.idle = limits.total = std::chrono::seconds(30);
  if (words.ends_with(":first_byte")) limits.first_byte = kShort;
  if (words.ends_with(":first_token")) limits.first_token = kShort;
  if (words.ends_with(":idle")) limits.idle = kShort;
  if (words.ends_with(":total")) limits.total = kShort;
  return limits;
}

Driven drive(Session& session, Engine& engine, const std::string& model, std::string_view words) {
  CallSettings settings;
  settings.max_tokens = 256;  // More than the longest of these texts.
  const CallRequest request(model, "hello there", settings);
  Driven driven;
  for (int64_t retries_left = kRetries;; --retries_left) {
    CallWatch watch(session.io, limits_for(words));
    CallResult& result = driven.attempts.emplace_back();
    session.wait_for(done(call_engine(engine, request, mono_now_ns(), watch, nullptr, result)));
    if (!wants_another(result, retries_left)) return driven;
    if (result.refused_member) ++retries_left;
  }
}

/// The record in the words of the fault table.
std::string words_of(const CallRecord& record) {
  std::string words(to_text(record.outcome));
  if (record.error_code) words += " " + *record.error_code;
  if (record.outcome != Outcome::kOk) return words;
  for (const std::string& flag : record.flags) words += " " + flag;
  return words;
}

/// Engines of both dialects at one mock server that answers kAnswer.
class FaultsEndToEnd : public testing::TestWithParam<std::string> {
 protected:
  void SetUp() override {
    MockOptions options = quick_options();
    options.answers["*"] = kAnswer;
    server_ = start_mock(options);
    ASSERT_TRUE(server_);
    engine_ = make_engine();
  }

  [[nodiscard]] std::unique_ptr<Engine> make_engine() {
    const auto url = parse_url(server_->base_url());
    return find_engine(GetParam()).value()->make(session_.http, *url, Secret());
  }
  [[nodiscard]] bool is_ollama() const { return GetParam() == "ollama"; }

  /// A call by a client that never spoke to this server before.
  Driven drive_fault(const std::string& name, std::string_view words) {
    session_.http.drop_kept();
    engine_ = make_engine();
    return drive(session_, *engine_, "fault:" + name, words);
  }

  /// The text of one answer that has to be ok.
  std::string text_of(const std::string& fault) {
    const Driven driven = drive_fault(fault, "ok");
    EXPECT_EQ(driven.last().record.outcome, Outcome::kOk) << fault;
    return driven.last().text;
  }

  std::unique_ptr<MockServer> server_;
  Session session_;
  std::unique_ptr<Engine> engine_;
};

TEST_P(FaultsEndToEnd, EveryRowHasItsOutcomeAndItsNumberOfRequests) {
  for (const Fault& fault : faults()) {
    SCOPED_TRACE(std::string(fault.name));
    const std::string name(fault.name);
    const std::string_view words = is_ollama() ? fault.outcome_ollama : fault.outcome_openai;
    const Driven driven = drive_fault(name, words);
    EXPECT_EQ(words_of(driven.last().record), words)
        << driven.last().record.error.value_or("no error");
    // Ollama's requests have no member that could be refused.
    const int requests = is_ollama() && name == "refuse_stream_options" ? 1 : fault.attempts;
    EXPECT_EQ(server_->stats().attempts["fault:" + name], requests);
    EXPECT_EQ(driven.attempts.size(), static_cast<size_t>(requests));
    EXPECT_EQ(driven.last().record.error.has_value(), driven.last().record.outcome != Outcome::kOk);
  }
}

TEST_P(FaultsEndToEnd, UnusualWritingGivesTheExactText) {
  for (const char* fault :
       {"crlf", "nospace", "multi_data", "comments", "coalesced", "close_delimited", "null_first",
        "role_none", "usage_only_chunk", "slow_headers:20ms", "no_usage", "wrong_usage",
        "wrong_length", "short_cl", "429:1", "503loading:1"}) {
    EXPECT_EQ(text_of(fault), kAnswer) << fault;
  }
}

TEST_P(FaultsEndToEnd, TextOfTheFaultsThatBringTheirOwn) {
  EXPECT_EQ(text_of("utf8_split"), "Zażółć gęślą jaźń 漢字 かな 😀 ñandú — fin");
  EXPECT_EQ(text_of("bad_utf8"),
            "good \uFFFD\uFFFD bad \uFFFD( and \uFFFD\uFFFD\uFFFD cut good again");
  EXPECT_EQ(text_of("empty"), "");
  EXPECT_TRUE(text_of("xss").starts_with("<script>alert(1)</script> <img src=x"));
}

TEST_P(FaultsEndToEnd, ReasoningInTagsIsNoVisibleText) {
  const Driven driven = drive_fault("think_tags", "ok");
  EXPECT_GT(driven.last().record.reasoning_bytes, 0);
  EXPECT_EQ(driven.last().text.find("think>"), std::string::npos);
  EXPECT_TRUE(driven.last().record.at.first_visible);
}

TEST_P(FaultsEndToEnd, WrongCountsAreNotTaken) {
  const CallRecord record = drive_fault("wrong_usage", "ok").last().record;
  EXPECT_FALSE(record.prompt_tokens);
  EXPECT_FALSE(record.usage_output_tokens);
}

TEST_P(FaultsEndToEnd, WhatCameOfABrokenAnswerIsKept) {
  for (const char* fault : {"truncate", "rst:2", "hang_mid:2", "error_in_stream"}) {
    const bool hangs = std::string_view(fault).starts_with("hang");
    const CallResult result = drive_fault(fault, hangs ? "timeout:idle" : "").last();
    EXPECT_FALSE(result.text.empty()) << fault;
    EXPECT_TRUE(kAnswer.starts_with(result.text)) << fault;
    EXPECT_TRUE(result.record.at.first_text) << fault;
  }
}

TEST_P(FaultsEndToEnd, RetryAfterIsReadAndCapped) {
  const auto asked = [&](const char* fault) { return drive_fault(fault, "ok").attempts[0]; };
  EXPECT_EQ(asked("429:1:2").retry_after, std::chrono::seconds(2));
  const auto date = asked("429date").retry_after;
  ASSERT_TRUE(date);
  EXPECT_LE(*date, std::chrono::seconds(1));
  const auto huge = asked("429huge").retry_after;
  ASSERT_TRUE(huge);
  EXPECT_EQ(retry_wait(1, huge, 0), std::chrono::seconds(60));
  EXPECT_FALSE(asked("503loading:1").retry_after);
}

TEST_P(FaultsEndToEnd, ARefusedMemberIsLeftOutFromThenOn) {
  const std::string model = "fault:refuse_stream_options";
  const Driven first = drive(session_, *engine_, model, "ok");
  if (is_ollama()) {  // It never has that member.
    EXPECT_EQ(first.attempts.size(), 1U);
    return;
  }
  ASSERT_EQ(first.attempts.size(), 2U);
  EXPECT_EQ(words_of(first.attempts[0].record), "error http_400");
  EXPECT_EQ(first.attempts[0].record.flags, std::vector<std::string>{"refused_member"});
  EXPECT_EQ(words_of(first.attempts[1].record), "ok");
  EXPECT_EQ(drive(session_, *engine_, model, "ok").attempts.size(), 1U);
}

TEST_P(FaultsEndToEnd, ConnectionsThatAreResetAreNoAnswer) {
  const auto url = parse_url(server_->reset_url());
  const auto engine = find_engine(GetParam()).value()->make(session_.http, *url, Secret());
  const Driven driven = drive(session_, *engine, "mock", "");
  EXPECT_EQ(words_of(driven.last().record), "error reset");
}

TEST_P(FaultsEndToEnd, NobodyListeningIsTriedAgain) {
  const auto url = parse_url(server_->base_url());
  server_->stop();
  const auto engine = find_engine(GetParam()).value()->make(session_.http, *url, Secret());
  const Driven driven = drive(session_, *engine, "mock", "");
  EXPECT_EQ(words_of(driven.last().record), "error connect");
  EXPECT_EQ(driven.attempts.size(), static_cast<size_t>(1 + kRetries));
}

INSTANTIATE_TEST_SUITE_P(Dialects, FaultsEndToEnd, testing::Values("openai", "llamacpp", "ollama"),
                         [](const auto& info) { return info.param; });

TEST(RetryWait, DoublesAndNeverAsksForMoreThanAMinute) {
  EXPECT_EQ(retry_wait(1, std::nullopt, 0), std::chrono::milliseconds(100));
  EXPECT_EQ(retry_wait(3, std::nullopt, 0), std::chrono::milliseconds(400));
  EXPECT_EQ(retry_wait(100, std::nullopt, 0), std::chrono::milliseconds(25'600));
  EXPECT_EQ(retry_wait(1, std::nullopt, 1), std::chrono::milliseconds(110));
  EXPECT_EQ(retry_wait(1, Nanos(0), 0.5), Nanos(0));
  EXPECT_EQ(retry_wait(1, std::chrono::hours(9), 0), std::chrono::seconds(60));
}

}  // namespace
}  // namespace assay::test
