#include "model/objectives.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace assay {
namespace {

using ::testing::HasSubstr;

TEST(Objectives, AreAWordAndItsLimit) {
  const auto all = parse_objectives("ttft:2s, tpot:50ms,itl:60ms,e2e:1m,tps:10");
  ASSERT_TRUE(all) << all.error().message;
  ASSERT_EQ(all->size(), 5U);
  EXPECT_EQ((*all)[0].what, Objective::What::kTtft);
  EXPECT_EQ((*all)[0].limit, 2000);
  EXPECT_EQ((*all)[1].limit, 50);
  EXPECT_EQ((*all)[3].limit, 60'000);
  EXPECT_EQ((*all)[4].limit, 10);
  EXPECT_EQ(objective_text((*all)[0]), "TTFT at most 2s");
  EXPECT_EQ(objective_text((*all)[4]), "at least 10 tok/s");
}

TEST(Objectives, NameWhatIsNone) {
  for (const auto& [text, what] :
       {std::pair{"", "is no objective"}, std::pair{"ttft", "is no objective"},
        std::pair{"speed:3", "'speed:3' is no objective"}, std::pair{"ttft:fast", "has no limit"},
        std::pair{"ttft:0s", "has no limit"}, std::pair{"tps:-1", "has no limit"},
        std::pair{"tps:nan", "has no limit"}, std::pair{"tps:2s", "has no limit"},
        std::pair{"tps:1,tps:2", "is given twice"}}) {
    const auto none = parse_objectives(text);
    ASSERT_FALSE(none) << text;
    EXPECT_THAT(none.error().message, HasSubstr(what)) << text;
  }
}

TEST(Objectives, NeedMoreCallsForAHigherShare) {
  EXPECT_EQ(calls_to_show(0.5), 5);
  EXPECT_EQ(calls_to_show(0.9), 29);
  EXPECT_EQ(calls_to_show(0.95), 59);
  EXPECT_EQ(calls_to_show(0.99), 299);
  EXPECT_TRUE(is_attainment(0.99));
  EXPECT_FALSE(is_attainment(1));
  EXPECT_FALSE(is_attainment(0));
}

}  // namespace
}  // namespace assay
