#include "model/json.h"

#include <gtest/gtest.h>

#include "base/ids.h"

namespace assay {
namespace {

CallRecord full_record() {
  CallRecord r;
  r.cell_id = "local:openai:m:7b";
  r.prompt_id = "prompt-01234567";
  r.phase = Phase::kWarm;
  r.run_idx = 3;
  r.first_delta_ms = 12;
  r.tokens_per_sec = 66.7;
  r.finish_reason = "stop";
  r.backend = "openai";
  r.run_id = new_uuid4();
  r.index = 7;
  r.outcome = Outcome::kOk;
  r.flags = {"length", "empty"};
  r.prefix = Prefix::kReused;
  r.at.sent = 1'000;
  r.at.done = 9'000'000'000;
  r.token_source = TokenSource::kUsage;
  r.engine.prefill_ms = 1.25;
  r.stamps = StampSource::kKernel;
  r.tokens = std::string("\x00\x01\xff", 3);
  return r;
}

TEST(CallLine, RoundTripsAndStaysTheSameBytes) {
  const CallRecord r = full_record();
  const std::string line = call_line(r);
  const auto back = parse_call(line);
  ASSERT_TRUE(back) << back.error().message;
  EXPECT_EQ(call_line(*back), line);
  EXPECT_EQ(back->tokens, r.tokens);
  EXPECT_EQ(back->at.sent, 1'000);
  EXPECT_FALSE(back->at.due);
}

TEST(CallLine, BeginsWithSource004FieldsInItsOrder) {
  const std::string line = call_line(full_record());
  EXPECT_EQ(line.find(R"({"type":"call","cell_id":)"), 0U);
  size_t last = 0;
  for (const char* key : {"cell_id", "prompt_id", "phase", "run_idx", "first_delta_ms",
                          "total_duration_ms", "prompt_tokens", "completion_tokens",
                          "tokens_per_sec", "finish_reason", "backend", "error"}) {
    const size_t at = line.find('"' + std::string(key) + "\":");
    ASSERT_NE(at, std::string::npos) << key;
    EXPECT_GT(at, last) << key;
    last = at;
  }
}

TEST(CallLine, MissingFieldsKeepDefaultsAndWrongTypesAreNamed) {
  const auto old = parse_call(R"({"type":"call","cell_id":"a:b:c","run_idx":2})");
  ASSERT_TRUE(old);
  EXPECT_EQ(old->run_idx, 2);
  EXPECT_EQ(old->attempt, 1);
  const auto bad = parse_call(R"({"type":"call","run_idx":"two"})");
  ASSERT_FALSE(bad);
  EXPECT_NE(bad.error().message.find("run_idx"), std::string::npos);
}

TEST(CallLine, DamageOfAnyKindIsRefused) {
  for (const char* line :
       {R"({"type":"call","error":nule})", R"({"type":"call","error":null"flags":[]})",
        R"({"type":"call","prefix":"un"now,"stamps":"none"})"}) {
    EXPECT_FALSE(parse_call(line)) << line;
  }
}

TEST(CallLine, AKeyWithoutValueIsAnErrorAndNoCrash) {
  const std::string line =
      R"({"type":"call","loop_late":"completed","wall_state","load_avg_end":[1,2,3]})";
  EXPECT_EQ(parse_call(line).error().code, Errc::kProtocol);
}

TEST(CallLine, IllFormedUtf8BecomesAReplacementCharacter) {
  CallRecord r = full_record();
  r.error = "bad \xff byte";
  EXPECT_NE(call_line(r).find("bad \xef\xbf\xbd byte"), std::string::npos);
}

TEST(MetaLine, RoundTrips) {
  RunMeta m;
  m.run_id = new_uuid4();
  m.load_avg_start = {0.5, 0.25, 0.125};
  m.suite = "prompt";
  m.seed = 42;
  m.options_json = R"({"repetitions":3})";
  m.cells.push_back(Cell{.id = "local:openai:m", .kind = "openai", .model = "m"});
  m.cells.push_back(Cell{.id = "x:openai:-", .unavailable = "connection refused"});
  m.prompts.push_back(Prompt{.id = "p", .text = "hi", .salt = Prompt::Salt::kPerCall});
  m.legs.push_back(Leg{.calls = 2, .settings = CallSettings{.max_tokens = 5}});
  m.calls = {{0, 0, 0}, {0, 1, 0}};
  const std::string line = meta_line(m);
  const auto back = parse_meta(line);
  ASSERT_TRUE(back) << back.error().message;
  EXPECT_EQ(meta_line(*back), line);
  EXPECT_NE(line.find(R"("cells_planned":["local:openai:m"])"), std::string::npos);
}

TEST(LineType, TellsTheKindsApart) {
  EXPECT_EQ(line_type(call_line({})).value(), LineType::kCall);
  EXPECT_EQ(line_type(meta_line({})).value(), LineType::kMeta);
  EXPECT_EQ(line_type(end_line({})).value(), LineType::kEnd);
  EXPECT_EQ(line_type(resume_line("x", 1)).value(), LineType::kResume);
  EXPECT_EQ(line_type(R"({"type":"later"})").value(), LineType::kUnknown);
  EXPECT_FALSE(line_type("{\"typ"));
  EXPECT_FALSE(line_type("[]"));
}

}  // namespace
}  // namespace assay
