#include "stats/threshold.h"

#include <gtest/gtest.h>

#include "synthetic.h"

namespace assay {
namespace {

TEST(Threshold, IsReadInAllItsForms) {
  const auto t = parse_threshold(" ttft_ms.p50 <= 300 ");
  ASSERT_TRUE(t) << t.error().message;
  EXPECT_EQ(t->metric, "ttft_ms");
  EXPECT_EQ(t->figure, "p50");
  EXPECT_EQ(t->is, Threshold::Is::kAtMost);
  EXPECT_EQ(t->limit, 300);
  EXPECT_EQ(parse_threshold("decode_tps.mean>2e1")->limit, 20);
  EXPECT_EQ(parse_threshold("tpot.vllm.p99<9")->metric, "tpot.vllm");
  EXPECT_EQ(parse_threshold("success_rate>=0.95")->figure, "");
}

TEST(Threshold, NamesWhatIsWrong) {
  for (const auto& [text, part] :
       {std::pair{"ttft_ms.p50", "compares nothing"}, std::pair{"ttft_ms<3", "no figure"},
        std::pair{"ttft_ms.p51<3", "no figure"}, std::pair{"speed.p50<3", "no metric 'speed'"},
        std::pair{"ttft_ms.p50<", "no number"}, std::pair{"ttft_ms.p50<3ms", "no number"}}) {
    const auto t = parse_threshold(text);
    ASSERT_FALSE(t) << text;
    EXPECT_EQ(t.error().code, Errc::kInvalidArgument);
    EXPECT_NE(t.error().message.find(part), std::string::npos) << t.error().message;
  }
}

TEST(Threshold, IsCheckedLegByLeg) {
  synthetic::Builder b("prompt");
  const int64_t cell = b.cell("m");
  b.add_ok(b.leg(cell, b.prompt("short")), 6, {.ttft_ms = 100}, 0);
  const int64_t slow = b.leg(cell, b.prompt("long"));
  b.add_ok(slow, 3, {.ttft_ms = 400}, 0);
  b.add(slow, synthetic::failed_call(9000, "gone"));
  const auto legs = group_legs(b.ledger).legs;
  const auto misses = [&](const char* text) {
    return check_threshold(*parse_threshold(text), legs);
  };
  EXPECT_TRUE(misses("ttft_ms.p50<=400").empty());
  const auto one = misses("ttft_ms.p50<400");
  ASSERT_EQ(one.size(), 1U);
  EXPECT_EQ(one[0].prompt_id, "long");
  EXPECT_EQ(one[0].value, 400);
  EXPECT_EQ(misses("success_rate>=0.95").size(), 1U);
  EXPECT_EQ(misses("success_rate>=0.75").size(), 0U);
  // No leg of the cell has it: that is a miss, and no number.
  const auto none = misses("load_ms.p50<1");
  ASSERT_EQ(none.size(), 1U);
  EXPECT_FALSE(none[0].value);
}

}  // namespace
}  // namespace assay
