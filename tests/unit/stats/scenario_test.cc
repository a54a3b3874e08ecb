#include "stats/scenario.h"

#include <gtest/gtest.h>

#include "stats/ceiling.h"
#include "stats/leg_marks.h"
#include "unit/stats/synthetic.h"

namespace assay {
namespace {

using synthetic::CallShape;
using synthetic::ok_call;

/// A plan of one leg and its calls, one after the other unless the test says otherwise.
struct Scenario {
  LedgerContent ledger;

  Scenario() {
    Cell cell;
    cell.id = "local:llamacpp:m";
    cell.kind = "llamacpp";
    cell.tokens_per_word = 1.3;
    Prompt prompt;
    prompt.id = "pp512";
    prompt.salt = Prompt::Salt::kPerCall;
    prompt.target_tokens = 512;
    Leg leg;
    leg.calls = 8;
    leg.settings.max_tokens = 32;
    leg.settings.fixed_length = true;
    ledger.meta.cells = {cell};
    ledger.meta.prompts = {prompt};
    ledger.meta.legs = {leg};
  }

  void add(double at_ms, CallShape shape) {
    CallRecord r = ok_call(at_ms, shape);
    r.cell_id = ledger.meta.cells[0].id;
    r.prompt_id = "pp512";
    r.index = r.run_idx = static_cast<int64_t>(ledger.calls.size());
    r.concurrency = ledger.meta.legs[0].concurrency;
    ledger.calls.push_back(std::move(r));
  }
  void add_calls(CallShape shape) {
    for (int i = 0; i < 8; ++i) add(1000.0 * i, shape);
  }

  [[nodiscard]] LegResult leg() const { return group_legs(ledger).legs.front(); }
  [[nodiscard]] std::string why_void() const {
    const LegResult result = leg();
    const LegMark* mark = find_mark(result, "void");
    return mark == nullptr ? "" : mark->detail;
  }
};

TEST(Scenario, ThatHoldsHasItsFigures) {
  Scenario s;
  s.add_calls({.prompt_tokens = 505, .cached = 4});
  EXPECT_EQ(s.why_void(), "");
  EXPECT_NE(s.leg().find("decode_tps"), nullptr);
}

TEST(Scenario, IsVoidWhenSaltedPromptsCameFromTheCache) {
  Scenario s;
  s.add_calls({.prompt_tokens = 512, .cached = 480});
  EXPECT_EQ(s.why_void(), "480 of 512 prompt tokens came from the engine's cache");
  EXPECT_TRUE(s.leg().metrics.empty());
  EXPECT_FALSE(s.leg().aggregate_tps);
}

TEST(Scenario, HoldsWhenOnlyTheChatTemplateWasCached) {
  // A template that says who the model is and what day it is, before 32 tokens of our own.
  Scenario s;
  s.ledger.meta.prompts[0].target_tokens = 32 + 40;
  s.ledger.meta.cells[0].prompt_overhead = 40;
  s.add_calls({.prompt_tokens = 72, .cached = 38});
  EXPECT_EQ(s.leg().prefix, Prefix::kReused);
  EXPECT_EQ(s.why_void(), "");
  s.ledger.meta.cells[0].prompt_overhead = 5;  // So much of it cannot be the template's.
  EXPECT_EQ(s.why_void(), "38 of 72 prompt tokens came from the engine's cache");
}

TEST(Scenario, HoldsForAShortPromptThatAlsoAsksForALongAnswer) {
  Scenario s;
  s.ledger.meta.prompts[0].target_tokens = 32;
  s.add_calls({.prompt_tokens = 80, .cached = 0});
  EXPECT_EQ(s.why_void(), "");
}

TEST(Scenario, IsVoidWhenThePromptHasAnotherLength) {
  Scenario s;
  s.add_calls({.prompt_tokens = 400, .cached = 0});
  EXPECT_EQ(s.why_void(), "the prompt had 400 tokens instead of 512");
  s.ledger.meta.cells[0].tokens_per_word.reset();  // No length was promised.
  EXPECT_EQ(s.why_void(), "");
}

TEST(Scenario, IsVoidWhenAnswersAreTooShort) {
  Scenario s;
  s.add_calls({.tokens = 20, .prompt_tokens = 512, .cached = 0});
  EXPECT_EQ(s.why_void(), "answers had 20 tokens instead of 32");
  s.ledger.meta.cells[0].kind = "ollama";  // It takes no fixed length: half of it is enough.
  EXPECT_EQ(s.why_void(), "");
}

TEST(Scenario, IsVoidWhenTheEngineHasFewerSlotsThanCalls) {
  Scenario s;
  s.ledger.meta.legs[0].concurrency = 4;
  s.ledger.meta.cells[0].slots = 1;
  s.add_calls({.prompt_tokens = 512, .cached = 0});
  EXPECT_EQ(s.why_void(),
            "the engine worked on 1 call at once instead of 4: what looks like latency is its "
            "queue");
  s.ledger.meta.cells[0].slots = 4;
  EXPECT_EQ(s.why_void(), "");
}

TEST(Scenario, FindsTheQueueOfAnEngineThatDoesNotTell) {
  Scenario s;
  s.ledger.meta.legs[0].concurrency = 2;
  // Two workers, one slot: each answer begins when the one before ended.
  for (int i = 0; i < 8; ++i) {
    s.add(i == 0 ? 0 : 700.0 * (i - 1),
          {.ttft_ms = i == 0 ? 50.0 : 760.0, .prompt_tokens = 512, .cached = 0});
  }
  EXPECT_NE(s.why_void().find("1 call at once instead of 2"), std::string::npos) << s.why_void();
}

TEST(Scenario, TakesOverlappingAnswersForConcurrency) {
  Scenario s;
  s.ledger.meta.legs[0].concurrency = 2;
  for (int i = 0; i < 8; ++i) s.add(400.0 * i, {.prompt_tokens = 512, .cached = 0});
  EXPECT_EQ(s.why_void(), "");
}

TEST(Ceiling, IsTheShareOfWhatTheMachineCanDo) {
  Scenario s;
  s.add_calls({.gap_ms = 20, .prompt_tokens = 500, .cached = 0});  // 50 tokens a second.
  s.ledger.meta.cells[0].token_cost = TokenCost{100e6, 20e3, 200e6};
  s.ledger.meta.instrument.machine = MachineCeiling{2, 100'000'000, 10e9, 80e9, ""};
  const auto decode = decode_ceiling(s.ledger.meta, s.leg());
  ASSERT_TRUE(decode);
  EXPECT_EQ(decode->of, "bandwidth");
  EXPECT_NEAR(decode->share, 50 * (100e6 + 500 * 20e3) / 10e9, 1e-3);
  const auto prefill = prefill_ceiling(s.ledger.meta, s.leg());
  ASSERT_TRUE(prefill);
  EXPECT_NEAR(prefill->share, 500 / 0.1 * 200e6 / 80e9, 1);
  EXPECT_EQ(find_mark(s.leg(), "void"), nullptr);
}

TEST(Ceiling, MarksWhatNoMachineCanDo) {
  Scenario s;
  s.add_calls({.gap_ms = 20, .prompt_tokens = 500, .cached = 0});
  s.ledger.meta.cells[0].token_cost = TokenCost{100e6, 0, 1};
  s.ledger.meta.instrument.machine = MachineCeiling{2, 100'000'000, 4e9, 80e9, ""};
  const LegResult leg = s.leg();
  const LegMark* mark = find_mark(leg, "invalid");
  ASSERT_NE(mark, nullptr);
  EXPECT_EQ(mark->detail, "decode would take 125 % of this machine's bandwidth");
  EXPECT_NE(leg.find("decode_tps"), nullptr) << "the figure stays, with its mark";
}

TEST(Ceiling, IsUnknownWhereTheModelMayRunElsewhere) {
  Scenario s;
  s.add_calls({.prompt_tokens = 500, .cached = 0});
  s.ledger.meta.instrument.machine = MachineCeiling{2, 100'000'000, 4e9, 80e9, ""};
  EXPECT_FALSE(decode_ceiling(s.ledger.meta, s.leg()));
}

TEST(ClientLimit, MarksALegNearTheCalibratedCeiling) {
  Scenario s;
  s.ledger.meta.legs[0].concurrency = 8;
  for (int i = 0; i < 8; ++i) s.add(i, {.gap_ms = 20, .prompt_tokens = 512, .cached = 0});
  s.ledger.meta.instrument.calibration = Calibration{8, 0, 0.1, 400, ""};  // The leg has about 360.
  EXPECT_NE(find_mark(s.leg(), "client_limited"), nullptr);
  s.ledger.meta.instrument.calibration->events_per_sec = 100'000;
  EXPECT_EQ(find_mark(s.leg(), "client_limited"), nullptr);
}

/// A plan whose two legs follow one another in drawn order.
LedgerContent mixed_run(double slower_after_other) {
  Scenario s;
  RunMeta& meta = s.ledger.meta;
  meta.prompts.push_back(meta.prompts[0]);
  meta.prompts[1].id = "other";
  meta.legs.push_back(meta.legs[0]);
  meta.legs[1].prompt = 1;
  constexpr int64_t kOrder[] = {0, 1, 1, 0, 0, 1, 0, 1, 1, 0, 0, 1, 1, 0, 0, 1, 1, 0};
  int64_t last = -1;
  int64_t index = 0;
  for (const int64_t leg : kOrder) {
    meta.calls.push_back({leg, index, 0, 0});
    const double noise = 0.05 * static_cast<double>(index % 3);
    const bool slow = leg == 0 && last == 1;
    CallRecord r = ok_call(1000.0 * static_cast<double>(index),
                           {.gap_ms = (20 + noise) * (slow ? 1 + slower_after_other : 1),
                            .prompt_tokens = 512,
                            .cached = 0});
    r.cell_id = meta.cells[0].id;
    r.prompt_id = meta.prompts[static_cast<size_t>(leg)].id;
    r.leg = leg;
    r.index = r.run_idx = index++;
    s.ledger.calls.push_back(std::move(r));
    last = leg;
  }
  return s.ledger;
}

TEST(OrderEffect, IsMarkedWhereTheCallBeforeMatters) {
  const auto legs = group_legs(mixed_run(0.10)).legs;
  const LegMark* mark = find_mark(legs[0], "order_effect");
  ASSERT_NE(mark, nullptr);
  EXPECT_NE(mark->detail.find("% right after a call of"), std::string::npos);
  EXPECT_EQ(find_mark(legs[1], "order_effect"), nullptr);
}

TEST(OrderEffect, IsNotSeenWhereItIsNot) {
  const auto legs = group_legs(mixed_run(0)).legs;
  EXPECT_EQ(find_mark(legs[0], "order_effect"), nullptr);
}

TEST(Truncation, IsMoreThanASaltsOwnScatter) {
  EXPECT_FALSE(is_truncated(30, 32));  // A short prompt whose salt is short in tokens.
  EXPECT_FALSE(is_truncated(450, 512));
  EXPECT_TRUE(is_truncated(440, 512));
  EXPECT_FALSE(is_truncated(3950, 4096));
  EXPECT_TRUE(is_truncated(2048, 4096));
  EXPECT_FALSE(is_truncated(5000, 4096));
}

}  // namespace
}  // namespace assay
