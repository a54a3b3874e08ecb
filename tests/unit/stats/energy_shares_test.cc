#include "stats/energy_shares.h"

#include <gtest/gtest.h>

#include <random>

#include "unit/stats/machine_samples.h"

namespace assay {
namespace {

using synthetic::kSecondNs;

/// 10 s of rest at 20 W, then 70 W.
TelemetryStream machine() {
  return synthetic::sampled("c", 100, [](int64_t second, TelemetrySample& s) {
    const auto t = static_cast<double>(second);
    s.cpu_energy_j = t <= 10 ? 20 * t : 200 + 70 * (t - 10);
  });
}

TEST(EnergyShares, ACallAloneHasAllOfItsTime) {
  const TelemetryStream stream = machine();
  const MachineEnergy energy(stream, 10 * kSecondNs);
  EXPECT_NEAR(*energy.idle_w(0), 20, 1e-9);
  EXPECT_FALSE(energy.idle_w(1)) << "no card";
  const std::vector<Span> spans{{20 * kSecondNs, 22 * kSecondNs}, {30 * kSecondNs, 35 * kSecondNs}};
  const std::vector<int64_t> groups{0, 1};
  const auto shares = share_energy(energy, spans, groups);
  EXPECT_NEAR(*shares[0].joules[0], 140, 1e-9);
  EXPECT_NEAR(*shares[1].joules[0], 350, 1e-9);
  EXPECT_FALSE(shares[0].joules[1]);
  EXPECT_NEAR(shares[1].seconds, 5, 1e-9);
  EXPECT_FALSE(shares[0].shared);
}

TEST(EnergyShares, EachMomentIsSharedEvenly) {
  const TelemetryStream stream = machine();
  const MachineEnergy energy(stream, 0);
  // The second overlaps the first's last second and the third's first two.
  const std::vector<Span> spans{{20 * kSecondNs, 22 * kSecondNs},
                                {21 * kSecondNs, 26 * kSecondNs},
                                {24 * kSecondNs, 26 * kSecondNs}};
  const std::vector<int64_t> groups{0, 0, 1};
  const auto shares = share_energy(energy, spans, groups);
  EXPECT_NEAR(*shares[0].joules[0], 70 * 1.5, 1e-9);
  EXPECT_NEAR(*shares[1].joules[0], 70 * (0.5 + 2 + 1), 1e-9);
  EXPECT_NEAR(*shares[2].joules[0], 70, 1e-9);
  EXPECT_TRUE(shares[0].shared);
  EXPECT_FALSE(shares[0].mixed) << "both are of one group";
  EXPECT_TRUE(shares[1].mixed);
  EXPECT_TRUE(shares[2].mixed);
}

TEST(EnergyShares, WhatIsNotKnownOfAPartIsNotKnownOfTheCall) {
  const TelemetryStream stream = machine();
  const MachineEnergy energy(stream, 0);
  const std::vector<Span> spans{{95 * kSecondNs, 120 * kSecondNs},
                                {50 * kSecondNs, 50 * kSecondNs}};
  const std::vector<int64_t> groups{0, 0};
  const auto shares = share_energy(energy, spans, groups);
  EXPECT_FALSE(shares[0].joules[0]);
  EXPECT_NEAR(*shares[1].joules[0], 0, 1e-12) << "it took no time";
}

TEST(EnergyShares, SharesAddUpToTheMachinesEnergy) {
  const TelemetryStream stream = machine();
  const MachineEnergy energy(stream, 0);
  std::mt19937_64 random(7);
  std::vector<Span> spans;
  std::vector<int64_t> groups;
  for (int i = 0; i < 2000; ++i) {
    const auto from = 12 * kSecondNs + static_cast<int64_t>(random() % 70) * kSecondNs;
    spans.push_back({from, from + static_cast<int64_t>(random() % 10'000) * 1'000'000 + 1});
    groups.push_back(i % 5);
  }
  double joules = 0;
  double seconds = 0;
  for (const EnergyShare& share : share_energy(energy, spans, groups)) {
    joules += *share.joules[0];
    seconds += share.seconds;
  }
  const std::vector<Span> busy = joined(spans);
  EXPECT_NEAR(joules, *energy.meter(0).joules(busy), 1e-6);
  EXPECT_NEAR(seconds, seconds_of(busy), 1e-6);
}

}  // namespace
}  // namespace assay
