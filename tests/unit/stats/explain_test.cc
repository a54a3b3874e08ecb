#include "stats/explain.h"

#include <gtest/gtest.h>

#include "synthetic.h"

namespace assay {
namespace {

TEST(Peers, FollowMetricsThatExist) {
  for (const Metric& metric : metrics()) {
    for (const PeerFigure& peer : peers_of(metric.name)) {
      EXPECT_NE(find_metric(peer.metric), nullptr) << peer.tool << " " << peer.metric;
    }
  }
  EXPECT_FALSE(peers_of("ttft_ms").empty());
  EXPECT_FALSE(peers_of("decode_tps").empty());
  EXPECT_TRUE(peers_of("load_ms").empty());
}

TEST(Formula, HasTheCallsValuesInIt) {
  const CallRecord call = synthetic::ok_call(1000, {.ttft_ms = 200, .gap_ms = 20, .tokens = 33});
  EXPECT_EQ(formula_with_values("ttft_ms", call), "1200.000 ms - 1000.000 ms");
  EXPECT_EQ(formula_with_values("decode_tps", call),
            "(33 - 1) tokens / (1840.000 ms - 1200.000 ms)");
  EXPECT_EQ(formula_with_values("tpot", call), formula_with_values("itl_ms", call));
  EXPECT_EQ(formula_with_values("tokens_per_sec", call), "33 tokens / (840 ms - 100 ms)");
  EXPECT_FALSE(formula_with_values("ttft_ms", synthetic::failed_call(0, "gone")));
  EXPECT_FALSE(formula_with_values("cached_tokens", call));
}

TEST(Missing, SaysWhyACallHasNoValue) {
  const auto why = [](std::string_view metric, const CallRecord& call) {
    return why_missing(*find_metric(metric), call);
  };
  const CallRecord whole = synthetic::ok_call(0, {.tokens = 33});
  EXPECT_EQ(why("decode_tps", whole), "");
  const CallRecord few = synthetic::ok_call(0, {.tokens = 10});
  EXPECT_EQ(why("decode_tps", few), "few_tokens");
  CallRecord uncounted = whole;
  uncounted.completion_tokens.reset();
  EXPECT_EQ(why("itl_ms", uncounted), "no_token_count");
  EXPECT_EQ(why("e2e_tps", uncounted), "no_token_count");
  EXPECT_EQ(why("load_ms", whole), "engine_silent");
  CallRecord silent = whole;
  silent.at.first_text.reset();
  EXPECT_EQ(why("ttft_ms", silent), "no_text");
}

TEST(Missing, EveryReasonHasItsWords) {
  for (const Metric& metric : metrics()) {
    const std::string_view why = why_missing(metric, CallRecord());
    EXPECT_FALSE(why.empty()) << metric.name;
    EXPECT_FALSE(missing_text(why).empty()) << why;
  }
  EXPECT_TRUE(missing_text("").empty());
}

/// A role chunk long before the text: what each tool makes of the same stream.
TEST(Peers, DisagreeAboutARoleChunk) {
  const CallRecord call = synthetic::ok_call(0, {.ttft_ms = 200});  // Role chunk at 100 ms.
  for (const PeerFigure& peer : peers_of("ttft_ms")) {
    const double value = *find_metric(peer.metric)->of_call(call);
    EXPECT_DOUBLE_EQ(value, peer.metric == "first_delta_ms" ? 100 : 200) << peer.tool;
  }
}

TEST(MedianCalls, FindsTheOneInTheMiddleOfEachLeg) {
  synthetic::Builder b("prompt");
  const int64_t leg = b.leg(b.cell("m"), b.prompt("p"));
  const int64_t other = b.leg(0, b.prompt("q"));
  b.add(other, synthetic::ok_call(0, {.ttft_ms = 900}));
  b.add(leg, synthetic::ok_call(0, {.ttft_ms = 300}));
  b.add(leg, synthetic::failed_call(0, "gone"));
  b.add(leg, synthetic::ok_call(0, {.ttft_ms = 100}));
  b.add(leg, synthetic::ok_call(0, {.ttft_ms = 200}));
  MedianCalls medians(*find_metric("ttft_ms"));
  MedianCalls loads(*find_metric("load_ms"));
  for (const CallRecord& call : b.ledger.calls) {
    medians.add(call);
    loads.add(call);
  }
  const auto legs = group_legs(b.ledger).legs;
  EXPECT_EQ(medians.find(legs.at(0)).place, 4);
  EXPECT_EQ(medians.find(legs.at(1)).place, 0);
  const auto none = loads.find(legs.at(0));
  EXPECT_FALSE(none.place);
  EXPECT_EQ(none.missing, "engine_silent");
  EXPECT_EQ(none.missing_calls, 3);
}

}  // namespace
}  // namespace assay
