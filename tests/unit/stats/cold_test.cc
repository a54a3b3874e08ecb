#include "stats/cold.h"

#include <gtest/gtest.h>

namespace assay {
namespace {

constexpr int64_t kMs = 1'000'000;

/// Unloaded in 10 ms, a pause of 2 s, sent 1 ms later, first text after 300 ms, last after 500 ms
/// more, and the end 2 ms after that.
CallRecord cold_call() {
  CallRecord r;
  r.phase = Phase::kCold;
  r.at.unload_start = 100 * kMs;
  r.at.unload_end = 110 * kMs;
  r.at.pause_end = 2110 * kMs;
  r.at.sent = 2111 * kMs;
  r.at.first_text = 2411 * kMs;
  r.at.last_text = 2911 * kMs;
  r.at.done = 2913 * kMs;
  return r;
}

double sum(const ColdSplit& s) {
  return s.unload_ms + s.load_ms + s.prefill_ms + s.decode_ms + s.other_ms;
}

TEST(ColdSplit, ALoadWithinTheCallIsTakenOffTheWaitForTheFirstText) {
  CallRecord r = cold_call();
  r.engine.load_ms = 250;
  const auto split = cold_split(r);
  ASSERT_TRUE(split);
  EXPECT_DOUBLE_EQ(split->unload_ms, 10);
  EXPECT_DOUBLE_EQ(split->load_ms, 250);
  EXPECT_DOUBLE_EQ(split->prefill_ms, 50);
  EXPECT_DOUBLE_EQ(split->decode_ms, 500);
  EXPECT_DOUBLE_EQ(split->other_ms, 3);
  EXPECT_DOUBLE_EQ(split->wall_ms, 813);  // Without the pause.
  EXPECT_DOUBLE_EQ(sum(*split), split->wall_ms);
}

TEST(ColdSplit, ALoadBeforeTheCallIsAPartOfItsOwn) {
  CallRecord r = cold_call();
  r.at.load_start = r.at.pause_end;
  r.at.load_end = *r.at.load_start + 700 * kMs;
  for (auto* at : {&r.at.sent, &r.at.first_text, &r.at.last_text, &r.at.done}) {
    *at = **at + 700 * kMs;
  }
  const auto split = cold_split(r);
  ASSERT_TRUE(split);
  EXPECT_DOUBLE_EQ(split->load_ms, 700);
  EXPECT_DOUBLE_EQ(split->prefill_ms, 300);
  EXPECT_DOUBLE_EQ(split->wall_ms, 1513);
  EXPECT_DOUBLE_EQ(sum(*split), split->wall_ms);
}

TEST(ColdSplit, IsAbsentWhereAPartIsUnknown) {
  CallRecord r = cold_call();
  EXPECT_FALSE(cold_split(r));  // Nobody says how long the load took.
  r.engine.load_ms = 301;       // Longer than the wait for the first text.
  EXPECT_FALSE(cold_split(r));
  r.engine.load_ms = 250;
  r.phase = Phase::kWarm;
  EXPECT_FALSE(cold_split(r));
  r.phase = Phase::kCold;
  r.at.first_text.reset();
  EXPECT_FALSE(cold_split(r));
  r = cold_call();
  r.engine.load_ms = 250;
  r.at.unload_start.reset();  // process_warm
  EXPECT_FALSE(cold_split(r));
}

}  // namespace
}  // namespace assay
