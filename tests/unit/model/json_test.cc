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

/// Every value of an enumeration, as far as it has a name.
template <class E>
std::vector<E> all_of() {
  std::vector<E> values;
  for (int i = 0; i < 16; ++i) {
    const auto value = static_cast<E>(i);
    if (to_text(value) != "unknown" || i == 0) values.push_back(value);
  }
  return values;
}

TEST(CallLine, HasANameForEverySourceOfTokens) {
  EXPECT_EQ(all_of<TokenSource>().size(), static_cast<size_t>(TokenSource::kEstimate) + 1);
  EXPECT_EQ(all_of<Outcome>().size(), static_cast<size_t>(Outcome::kSkipped) + 1);
  EXPECT_EQ(all_of<Phase>().size(), static_cast<size_t>(Phase::kSkipped) + 1);
  EXPECT_EQ(all_of<StampSource>().size(), static_cast<size_t>(StampSource::kMixed) + 1);
  CallRecord r = full_record();
  r.token_source = TokenSource::kEstimate;
  const auto back = parse_call(call_line(r));
  ASSERT_TRUE(back) << back.error().message;
  EXPECT_EQ(back->token_source, TokenSource::kEstimate);
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
  m.cells[0].slots = 4;
  m.cells[0].variant = "q4";
  m.cells[0].token_cost = TokenCost{1e9, 2e4, 3e9};
  m.instrument.calibration = Calibration{4, 0.01, 0.08, 123456, "2026-01-31T12:00:00.000Z"};
  m.instrument.machine = MachineCeiling{2, 1 << 20, 2e10, 8e10, "2026-01-31T12:00:00.000Z"};
  m.legs.push_back(Leg{.request_rate = 2.5,
                       .arrivals = Arrivals::kPoisson,
                       .calls = 2,
                       .settings = CallSettings{.max_tokens = 5}});
  m.calls = {{0, 0, 0}, {0, 1, 0}};
  const std::string line = meta_line(m);
  const auto back = parse_meta(line);
  ASSERT_TRUE(back) << back.error().message;
  EXPECT_EQ(meta_line(*back), line);
  EXPECT_NE(line.find(R"("cells_planned":["local:openai:m"])"), std::string::npos);
}

TEST(EndLine, RoundTrips) {
  RunEnd end;
  end.state = "completed";
  end.in_flight_s = 12.5;
  end.server_counters = {{"http://h:1", 100, 200}, {"http://h:2", std::nullopt, 7}};
  const auto back = parse_end(end_line(end));
  ASSERT_TRUE(back) << back.error().message;
  EXPECT_EQ(end_line(*back), end_line(end));
  EXPECT_EQ(back->server_counters[1].output_tokens, 7);
}

TEST(MetaLine, KeepsWhatAFileOfCellsSaysTheChecksAndTheMachine) {
  RunMeta m;
  Cell cell;
  cell.id = "n+routed:ollama:m:1";
  cell.routed_from = "n:ollama:m:1";
  cell.cold_kind = "unload";
  cell.max_rate = 0.5;
  cell.windows = {{120, 300}};
  cell.patterns = {"warm"};
  cell.expect = {{"P-EASY", "e2e_ms", 300, 0.2}};
  m.cells = {cell};
  m.declared_cells = {"n:ollama:m:1", "o:ollama:m:1"};
  m.git_changes = {" M cells.yaml"};
  m.preflight = {{"git_sha", false, "in no tree", true, true}};
  m.environment.emplace();
  m.environment->cores = 2;
  m.environment->gpus = {{"a card", "7.1"}};
  m.environment->missing["os"] = "nobody knows";
  const std::string line = meta_line(m);
  const auto back = parse_meta(line);
  ASSERT_TRUE(back) << back.error().message;
  EXPECT_EQ(meta_line(*back), line);
  ASSERT_EQ(back->cells.size(), 1U);
  EXPECT_EQ(back->cells[0].windows[0].until, 300);
  EXPECT_EQ(back->cells[0].expect[0].tolerance, 0.2);
  EXPECT_TRUE(back->preflight.at(0).identity);
  EXPECT_EQ(back->environment->missing.at("os"), "nobody knows");
}

TEST(LineType, TellsTheKindsApart) {
  EXPECT_EQ(line_type(call_line({})).value(), LineType::kCall);
  EXPECT_EQ(line_type(meta_line({})).value(), LineType::kMeta);
  EXPECT_EQ(line_type(end_line({})).value(), LineType::kEnd);
  EXPECT_EQ(line_type(resume_line("x", 1)).value(), LineType::kResume);
  EXPECT_EQ(line_type(wait_line({})).value(), LineType::kWait);
  EXPECT_EQ(line_type(R"({"type":"later"})").value(), LineType::kUnknown);
  EXPECT_FALSE(line_type("{\"typ"));
  EXPECT_FALSE(line_type("[]"));
}

TEST(LedgerLines, AWaitComesBackAsItWas) {
  const CoolingWait wait{5, 9, "model", 60.0, {}, false};
  EXPECT_EQ(wait_line(wait),
            R"({"type":"wait","from_ns":5,"to_ns":9,"gate":"model","below_c":60.0,)"
            R"("temperature_c":null,"cooled":false})");
  const auto read = parse_wait(wait_line(wait));
  ASSERT_TRUE(read);
  EXPECT_EQ(read->to_ns, 9);
  EXPECT_EQ(read->gate, "model");
  EXPECT_DOUBLE_EQ(*read->below_c, 60);
  EXPECT_FALSE(read->temperature_c);
  EXPECT_FALSE(read->cooled);
  EXPECT_FALSE(parse_wait(R"({"type":"wait","from_ns":"x"})"));
}

}  // namespace
}  // namespace assay
