#include "run/call_gates.h"

#include <gtest/gtest.h>

namespace assay {
namespace {

constexpr MonoNs kSecond = 1'000'000'000;

Cell cell(const std::string& id, std::optional<double> rate = std::nullopt) {
  Cell c;
  c.id = id;
  c.max_rate = rate;
  return c;
}

TEST(CallGates, PlacesLieAsFarApartAsTheRateWants) {
  CallGates gates;
  const Cell a = cell("a", 2);
  EXPECT_EQ(gates.reserve(a, 10 * kSecond), 10 * kSecond);
  EXPECT_EQ(gates.reserve(a, 10 * kSecond), 10 * kSecond + kSecond / 2);
  EXPECT_EQ(gates.reserve(a, 10 * kSecond), 11 * kSecond);
  EXPECT_EQ(gates.reserve(cell("b", 2), 10 * kSecond), 10 * kSecond);
  EXPECT_EQ(gates.reserve(a, 60 * kSecond), 60 * kSecond);
}

TEST(CallGates, WithoutARateNobodyWaits) {
  CallGates gates;
  const Cell a = cell("a");
  EXPECT_EQ(gates.reserve(a, 5), 5);
  EXPECT_EQ(gates.reserve(a, 6), 6);
}

TEST(CallGates, AModelIsWarmForAMinuteAfterAnAnswer) {
  CallGates gates;
  const Cell a = cell("a");
  EXPECT_FALSE(gates.is_warm(a, 0));
  gates.answered(a, kSecond);
  EXPECT_TRUE(gates.is_warm(a, 61 * kSecond));
  EXPECT_FALSE(gates.is_warm(a, 61 * kSecond + 1));
  EXPECT_FALSE(gates.is_warm(cell("b"), 2 * kSecond));
}

TEST(CallGates, ARouteSharesItsCellsEngine) {
  CallGates gates;
  const Cell direct = cell("n:ollama:m", 1);
  Cell routed = cell("n+routed:ollama:m", 1);
  routed.routed_from = direct.id;
  gates.reserve(direct, 0);
  EXPECT_EQ(gates.reserve(routed, 0), kSecond);
  gates.answered(routed, 5);
  EXPECT_TRUE(gates.is_warm(direct, 6));
}

}  // namespace
}  // namespace assay
