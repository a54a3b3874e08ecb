#include "run/server_counters.h"

#include <gtest/gtest.h>

namespace assay {
namespace {

ServerCounters reading(const std::string& model, int64_t load, int64_t tokens) {
  ServerCounters counters;
  counters.url = "http://127.0.0.1:8080";
  counters.model = model;
  counters.load = load;
  counters.output_tokens = tokens;
  return counters;
}

TEST(ServerCounters, GrowthIsOfOneModelAndOneLoadOfIt) {
  const auto grown = counted_since({reading("a", 1, 100), reading("b", 1, 100)},
                                   {reading("a", 1, 130), reading("b", 2, 150)});
  // The process of b began anew: from 100 to 150 is no growth.
  ASSERT_EQ(grown.size(), 1U);
  EXPECT_EQ(grown[0].model, "a");
  EXPECT_EQ(grown[0].output_tokens, 30);
}

TEST(ServerCounters, WhatIsLessThanBeforeIsUnknown) {
  const auto grown = counted_since({reading("", 0, 100)}, {reading("", 0, 40)});
  ASSERT_EQ(grown.size(), 1U);
  EXPECT_FALSE(grown[0].output_tokens);
}

}  // namespace
}  // namespace assay
