#include "model/cooldown.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "model/options.h"

namespace assay {
namespace {

using std::chrono::milliseconds;
using std::chrono::seconds;
using testing::Contains;
using testing::HasSubstr;

TEST(Cooldown, AValueAloneIsBetweenCalls) {
  const auto pause = parse_cooldown("10s");
  ASSERT_TRUE(pause);
  EXPECT_EQ(pause->call, (CoolingGate{seconds(10), {}}));
  EXPECT_FALSE(pause->by_temperature());
  const auto heat = parse_cooldown("60C");
  ASSERT_TRUE(heat);
  EXPECT_DOUBLE_EQ(*heat->call->below_c, 60);
  EXPECT_TRUE(heat->by_temperature());
  EXPECT_FALSE(parse_cooldown("")->any());
}

TEST(Cooldown, EachGateHasItsName) {
  const auto all = parse_cooldown("call=2s, model=60C, batch=50:70C, max=20m");
  ASSERT_TRUE(all);
  EXPECT_EQ(all->call->pause, seconds(2));
  EXPECT_DOUBLE_EQ(*all->model->below_c, 60);
  EXPECT_DOUBLE_EQ(*all->batch->below_c, 70);
  EXPECT_EQ(all->batch_calls, 50);
  EXPECT_EQ(all->most, std::chrono::minutes(20));
  EXPECT_EQ(parse_cooldown("batch=60s")->batch_calls, 100);
  const auto between_models = parse_cooldown("model=90s");
  EXPECT_TRUE(between_models->any());
  EXPECT_FALSE(between_models->within_legs());
  EXPECT_EQ(parse_cooldown("model=50m")->most, std::chrono::minutes(50));
}

TEST(Cooldown, TheTiersAreSource001sAndCanBeReplaced) {
  const auto tiers = parse_cooldown("tiers");
  ASSERT_TRUE(tiers);
  EXPECT_TRUE(tiers->tiers);
  EXPECT_EQ(tiers->model->pause, seconds(90));
  EXPECT_EQ(tiers->batch->pause, seconds(60));
  const auto own = parse_cooldown("tiers,call=1s,model=55C");
  EXPECT_FALSE(own->tiers);
  EXPECT_DOUBLE_EQ(*own->model->below_c, 55);
}

TEST(Cooldown, WhatIsWrongIsNamed) {
  for (const auto& [text, says] :
       {std::pair{"often", "'often' is neither"}, std::pair{"turn=5s", "'turn' is none of"},
        std::pair{"call=", "neither a time"}, std::pair{"batch=0:5s", "no number of calls"},
        std::pair{"max=2h", "no time up to 1h"}, std::pair{"call=2s,,", "neither a time"},
        std::pair{"-5s", "neither a time"}, std::pair{"2h", "neither a time"}}) {
    const auto parsed = parse_cooldown(text);
    ASSERT_FALSE(parsed) << text;
    EXPECT_THAT(parsed.error().message, HasSubstr(says)) << text;
    EXPECT_FALSE(cooldown_of(text).any());
  }
}

TEST(Cooldown, HarderCallsArePausedLonger) {
  const auto pause = [](int64_t in, int64_t out) {
    CallRecord call;
    call.prompt_tokens = in;
    call.completion_tokens = out;
    return tier_pause(call);
  };
  EXPECT_EQ(pause(0, 0), seconds(2));
  EXPECT_EQ(pause(500, 100), milliseconds(2600));
  EXPECT_EQ(pause(501, 0), milliseconds(5501));
  EXPECT_EQ(pause(0, 501), milliseconds(15501));
  EXPECT_EQ(pause(16'001, 0), seconds(35));
  EXPECT_EQ(pause(100, 4000), milliseconds(34'100));
  EXPECT_EQ(tier_pause(CallRecord()), seconds(2));
}

TEST(Cooldown, WhatCannotBeAskedTogetherIsSaid) {
  const auto faults = [](auto&& change) {
    RunSpec spec;
    change(spec);
    return check_spec(spec);
  };
  EXPECT_THAT(faults([](RunSpec& s) { s.cooldown = "sometimes"; }),
              Contains(HasSubstr("--cooldown: 'sometimes'")));
  EXPECT_THAT(faults([](RunSpec& s) {
                s.cooldown = "2s";
                s.request_rate = 1;
              }),
              Contains(HasSubstr("--request-rate exclude")));
  EXPECT_TRUE(faults([](RunSpec& s) {
                s.cooldown = "model=2s";
                s.request_rate = 1;
              }).empty());
  EXPECT_THAT(faults([](RunSpec& s) {
                s.max_temp = "90C";
                s.sample_rate = 0;
              }),
              Contains(HasSubstr("--sample-rate 0")));
  EXPECT_THAT(faults([](RunSpec& s) { s.max_power = "300"; }), Contains(HasSubstr("--max-power")));
  EXPECT_THAT(faults([](RunSpec& s) { s.sustain = std::chrono::seconds(30); }),
              Contains(HasSubstr("between 2m and 24h")));
  EXPECT_THAT(faults([](RunSpec& s) {
                s.sustain = std::chrono::minutes(10);
                s.suite = "smoke";
              }),
              Contains(HasSubstr("repeats one prompt")));
  EXPECT_TRUE(faults([](RunSpec& s) {
                s.sustain = std::chrono::minutes(10);
                s.max_concurrency = 32;
              }).empty());
}

TEST(Cooldown, TiersReplaceWhatStoodBefore) {
  const auto cooldown = parse_cooldown("call=10s,tiers");
  ASSERT_TRUE(cooldown);
  EXPECT_TRUE(cooldown->tiers);
  EXPECT_FALSE(cooldown->call);
}

}  // namespace
}  // namespace assay
