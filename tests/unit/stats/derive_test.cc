#include "stats/derive.h"

#include <gtest/gtest.h>

#include "stats/metrics.h"
#include "synthetic.h"

namespace assay {
namespace {

using synthetic::append_event;
using synthetic::CallShape;
using synthetic::kMs;
using synthetic::ok_call;

TEST(Derive, InstantsBecomeMilliseconds) {
  const CallRecord r = ok_call(1000, {.ttft_ms = 120, .gap_ms = 20, .tokens = 32});
  EXPECT_DOUBLE_EQ(*derive::ttft_ms(r), 120);
  EXPECT_DOUBLE_EQ(*derive::ttfv_ms(r), 120);
  EXPECT_DOUBLE_EQ(*derive::first_delta_ms(r), 60);
  EXPECT_DOUBLE_EQ(*derive::e2e_ms(r), 120 + 31 * 20 + 0.2);
  EXPECT_DOUBLE_EQ(*derive::e2e_tps(r), 32 / 0.7402);
}

TEST(Derive, DecodeSpeedLeavesOutTheFirstEvent) {
  const CallRecord r = ok_call(0, {.ttft_ms = 120, .gap_ms = 20, .tokens = 32});
  EXPECT_DOUBLE_EQ(*derive::decode_tps(r), 50);
  EXPECT_DOUBLE_EQ(*derive::itl_ms(r), 20);
  EXPECT_DOUBLE_EQ(*derive::chunks_per_sec(r), 50);
  EXPECT_DOUBLE_EQ(*derive::tokens_per_event(r), 1);
  EXPECT_TRUE(derive::decode(r).missing.empty());
}

TEST(Derive, DecodeSpeedUsesTheEnginesCountOfTheFirstEvent) {
  CallRecord r = ok_call(0, {.gap_ms = 10, .tokens = 41});
  r.first_event_tokens = 21;
  EXPECT_DOUBLE_EQ(*derive::decode_tps(r), 50);  // 20 tokens in 400 ms.
}

TEST(Derive, ReasoningThatWasNeverStreamedIsNoDecodedToken) {
  CallRecord r = ok_call(0, {.gap_ms = 10, .tokens = 41});
  r.completion_tokens = 141;
  r.reasoning_tokens = 100;
  EXPECT_DOUBLE_EQ(*derive::decode_tps(r), 100);
  r.reasoning_bytes = 1;
  EXPECT_DOUBLE_EQ(*derive::decode_tps(r), 350);
}

TEST(Derive, DecodeSpeedIsAbsentForAReason) {
  CallRecord r = ok_call(0, {.tokens = 15});
  EXPECT_EQ(derive::decode(r).missing, "few_tokens");
  EXPECT_FALSE(derive::decode_tps(r));
  EXPECT_FALSE(derive::itl_ms(r));
  r = ok_call(0, {.tokens = 16});
  EXPECT_TRUE(derive::decode_tps(r));
  r.completion_tokens.reset();
  EXPECT_EQ(derive::decode(r).missing, "no_token_count");
  r = ok_call(0, {.gap_ms = 0, .tokens = 32});
  EXPECT_EQ(derive::decode(r).missing, "one_stamp");
  r = ok_call(0, {.gap_ms = 0.016, .tokens = 32});  // 496 us: under 50 times 10 us.
  EXPECT_EQ(derive::decode(r).missing, "short_span");
  r = ok_call(0, {.gap_ms = 0.017, .tokens = 32});
  EXPECT_TRUE(derive::decode_tps(r));
  r.stamps = StampSource::kRead;
  r.client_lag_p99_us.reset();
  EXPECT_EQ(derive::decode(r).missing, "short_span");
}

TEST(Derive, TextEventsAreReadBack) {
  std::string tokens;
  append_event(tokens, 300'000, 5, false);
  append_event(tokens, 0, 200, true);
  const auto events = derive::text_events(tokens);
  ASSERT_TRUE(events);
  ASSERT_EQ(events->size(), 2U);
  EXPECT_EQ((*events)[0].at_us, 300'000);
  EXPECT_EQ((*events)[1].at_us, 300'000);
  EXPECT_EQ((*events)[1].bytes, 200);
  EXPECT_TRUE((*events)[1].coalesced);
  EXPECT_TRUE(derive::text_events("")->empty());
  tokens.pop_back();
  EXPECT_FALSE(derive::text_events(tokens));
}

TEST(IclGaps, EventsOfOneStampFormOneGroup) {
  CallRecord r;
  append_event(r.tokens, 100'000, 4, false);
  append_event(r.tokens, 0, 4, false);
  append_event(r.tokens, 20'000, 4, false);
  append_event(r.tokens, 0, 4, false);
  append_event(r.tokens, 30'500, 4, false);
  const derive::Gaps gaps = derive::icl_gaps(r);
  EXPECT_EQ(gaps.ms, (std::vector<double>{20, 30.5}));
  EXPECT_EQ(gaps.events, 5);
  EXPECT_DOUBLE_EQ(*derive::max_gap_ms(r), 30.5);
  EXPECT_DOUBLE_EQ(*derive::icl_ms(r), 25.25);
}

TEST(IclGaps, AGroupThatTheClientCoalescedTakesItsGapsAlong) {
  CallRecord r;
  append_event(r.tokens, 100'000, 4, false);
  append_event(r.tokens, 20'000, 4, false);
  append_event(r.tokens, 60'000, 4, true);
  append_event(r.tokens, 0, 4, false);
  append_event(r.tokens, 10'000, 4, false);
  append_event(r.tokens, 21'000, 4, false);
  const derive::Gaps gaps = derive::icl_gaps(r);
  EXPECT_EQ(gaps.ms, (std::vector<double>{20, 21}));
  EXPECT_EQ(gaps.coalesced, 1);
}

TEST(TokensPerSec, FollowsSource004OnWholeMilliseconds) {
  CallRecord r;
  r.at.sent = 0;
  r.at.first_event = 100 * kMs + 400'000;  // 100 ms.
  r.at.done = 129 * kMs + 600'000;         // 130 ms.
  r.text_events = 2;
  r.usage_output_tokens = 2;
  finish_record(r);
  EXPECT_EQ(r.first_delta_ms, 100);
  EXPECT_EQ(r.total_duration_ms, 130);
  EXPECT_DOUBLE_EQ(*r.tokens_per_sec, 66.7);
}

TEST(TokensPerSec, IsAbsentForOneChunkAndWithoutASpan) {
  CallRecord r = ok_call(0, {.tokens = 1});
  EXPECT_EQ(derive::tokens_per_sec_or_reason(r).missing, "one_chunk");
  EXPECT_FALSE(r.tokens_per_sec);
  r.text_events = 2;
  r.at.done = *r.at.first_event + 1000;
  EXPECT_EQ(derive::tokens_per_sec_or_reason(r).missing, "no_span");
  r.completion_tokens.reset();
  EXPECT_EQ(derive::tokens_per_sec_or_reason(r).missing, "no_token_count");
}

TEST(FinishRecord, ChoosesUsageBeforeTheEngine) {
  CallRecord r;
  r.engine.output_tokens = 9;
  finish_record(r);
  EXPECT_EQ(r.completion_tokens, 9);
  EXPECT_EQ(r.token_source, TokenSource::kEngine);
  r = {};
  r.usage_output_tokens = 8;
  r.engine.output_tokens = 9;
  finish_record(r);
  EXPECT_EQ(r.completion_tokens, 8);
  EXPECT_EQ(r.token_source, TokenSource::kUsage);
  r.usage_output_tokens = 7;
  finish_record(r);
  EXPECT_EQ(r.completion_tokens, 8);
}

TEST(FinishRecord, PrefixFollowsTheCachedTokens) {
  CallRecord r;
  finish_record(r);
  EXPECT_EQ(r.prefix, Prefix::kUnknown);
  r.cached_tokens = 0;
  finish_record(r);
  EXPECT_EQ(r.prefix, Prefix::kFresh);
  r = {};
  r.cached_tokens = 3;
  finish_record(r);
  EXPECT_EQ(r.prefix, Prefix::kReused);
}

TEST(FinishRecord, WhatNeverHappenedStaysAbsent) {
  CallRecord r;
  finish_record(r);
  EXPECT_FALSE(r.first_delta_ms);
  EXPECT_FALSE(r.total_duration_ms);
  EXPECT_FALSE(r.completion_tokens);
  for (const Metric& metric : metrics()) EXPECT_FALSE(metric.of_call(r)) << metric.name;
}

TEST(Derive, PrefillLeavesOutCachedTokens) {
  CallRecord r;
  r.prompt_tokens = 500;
  r.cached_tokens = 100;
  r.engine.prefill_ms = 200;
  EXPECT_DOUBLE_EQ(*derive::prefill_tps(r), 2000);
  r.engine.prompt_tokens = 300;
  EXPECT_DOUBLE_EQ(*derive::prefill_tps(r), 1500);
  r = {};
  r.prompt_tokens = 500;
  r.engine.prefill_ms = 200;
  EXPECT_FALSE(derive::prefill_tps(r));
}

TEST(Derive, PeersVariantsFollowTheirFormulas) {
  CallRecord r;
  r.completion_tokens = 11;
  r.at.sent = 0;
  r.at.first_event = 10 * kMs;
  r.at.first_text = 200 * kMs;
  r.at.last_text = 400 * kMs;
  r.at.done = 440 * kMs;
  EXPECT_DOUBLE_EQ(*derive::tpot_vllm(r), 39);
  EXPECT_DOUBLE_EQ(*derive::itl_aiperf(r), 20);
  EXPECT_DOUBLE_EQ(*derive::tpot_guidellm(r), 400.0 / 11);
  EXPECT_DOUBLE_EQ(*derive::ntpot(r), 40);
}

TEST(Derive, ForeignRecordsFallBackToTheirMilliseconds) {
  CallRecord r;
  r.first_delta_ms = 100;
  r.total_duration_ms = 130;
  r.completion_tokens = 2;
  EXPECT_DOUBLE_EQ(*derive::tokens_per_sec(r), 66.7);
  EXPECT_DOUBLE_EQ(*derive::e2e_ms(r), 130);
  finish_record(r);
  EXPECT_EQ(r.total_duration_ms, 130);
}

TEST(Metrics, AreNamedOnceAndDefinedInOneLine) {
  for (const Metric& metric : metrics()) {
    EXPECT_EQ(find_metric(metric.name), &metric);
    EXPECT_FALSE(metric.unit.empty()) << metric.name;
    EXPECT_LE(metric.label.size(), 16U) << metric.name;
    EXPECT_EQ(metric.definition.find('\n'), std::string_view::npos);
    EXPECT_FALSE(metric.definition.empty());
  }
  EXPECT_EQ(find_metric("no such"), nullptr);
}

TEST(Metrics, TextHasTheMetricsDecimalsAndNoZeroForAbsent) {
  const Metric& ttft = *find_metric("ttft_ms");
  EXPECT_EQ(metric_text(ttft, 182.06), "182.1");
  EXPECT_EQ(metric_text(ttft, 999.96), "1,000");
  EXPECT_EQ(metric_text(ttft, 12'345.6), "12,346");
  EXPECT_EQ(metric_text(ttft, std::nullopt), "-");
}

TEST(Decode, EventsUnderTheFirstStampAreNotOfTheSpan) {
  CallRecord r = synthetic::ok_call(0, {.ttft_ms = 100, .gap_ms = 10, .tokens = 41});
  // Four events came in the first read: 37 more tokens in 36 gaps and the one before them.
  r.tokens.clear();
  for (int i = 0; i < 41; ++i) {
    synthetic::append_event(r.tokens, i == 0 ? 130'000 : i < 4 ? 0 : 10'000, 4, false);
  }
  r.at.first_text = synthetic::ns(130);
  r.at.last_text = synthetic::ns(500);
  EXPECT_NEAR(*derive::decode_tps(r), 37 / 0.37, 1e-9);
}

TEST(Prefill, OfAReusedPromptIsUnknownWithoutTheCachedTokens) {
  CallRecord r = synthetic::ok_call(0, {});
  r.prefix = Prefix::kReused;
  EXPECT_FALSE(derive::prefill_tps(r));
  r.cached_tokens = 5;
  EXPECT_TRUE(derive::prefill_tps(r));
}

}  // namespace
}  // namespace assay
