#include "stats/restarts.h"

#include <gtest/gtest.h>

#include <cmath>

#include "synthetic.h"

namespace assay {
namespace {

/// Loads with the given TTFT in ms, three calls each.
std::vector<LegResult> loads(std::initializer_list<double> ttfts) {
  synthetic::Builder b("prompt");
  const int64_t leg = b.leg(b.cell("m"), b.prompt("p"));
  int64_t restart = 0;
  for (const double ttft : ttfts) {
    for (int i = 0; i < 3; ++i) {
      b.add(leg,
            synthetic::ok_call(static_cast<double>(restart) * 1e4 + i * 1e3, {.ttft_ms = ttft}))
          .restart = restart;
    }
    ++restart;
  }
  return group_legs(b.ledger).legs;
}

TEST(RestartMeans, AreGeometricMeansInTheOrderOfLoads) {
  MetricResult result;
  result.values = {9, 1, 4, 5};
  result.restarts = {2, 0, 0, 2};
  const auto means = restart_means(result);
  ASSERT_EQ(means.size(), 2U);
  EXPECT_NEAR(means[0], 2, 1e-12);
  EXPECT_NEAR(means[1], std::sqrt(45.0), 1e-12);
}

TEST(NoiseFloors, AreTheSpreadOfPairsOfLoads) {
  const auto floors = noise_floors(loads({100, 110, 110, 100, 100, 110}));
  const auto ttft = std::find_if(floors.begin(), floors.end(),
                                 [](const auto& f) { return f.metric == "ttft_ms"; });
  ASSERT_NE(ttft, floors.end());
  EXPECT_EQ(ttft->cell_id, "local:llamacpp:m");
  EXPECT_EQ(ttft->pairs, 3);
  EXPECT_NEAR(ttft->share, 0.10, 1e-6);
}

TEST(NoiseFloors, NeedTwoPairs) {
  EXPECT_TRUE(noise_floors(loads({100, 110, 105})).empty());
  EXPECT_FALSE(noise_floors(loads({100, 110, 105, 100})).empty());
}

}  // namespace
}  // namespace assay
