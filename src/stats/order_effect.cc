#include "stats/order_effect.h"

#include <algorithm>
#include <optional>

#include "stats/derive.h"

namespace assay {
namespace {

/// The leg of the call before a planned one, where both are of one stage.
std::optional<int64_t> leg_before(const RunMeta& meta, int64_t index) {
  if (index < 1 || index >= static_cast<int64_t>(meta.calls.size())) return std::nullopt;
  const auto i = static_cast<size_t>(index);
  if (meta.calls[i - 1].stage != meta.calls[i].stage) return std::nullopt;
  const int64_t leg = meta.calls[i - 1].leg;
  if (leg < 0 || leg >= static_cast<int64_t>(meta.legs.size())) return std::nullopt;
  return leg;
}

std::optional<double> speed_of(const CallRecord& call) {
  if (const auto decode = derive::decode_tps(call)) return decode;
  const auto ttft = derive::ttft_ms(call);
  if (!ttft || *ttft <= 0) return std::nullopt;
  return 1e3 / *ttft;
}

std::optional<OrderEffect> effect_on(size_t index, const PrecededCalls& leg) {
  if (leg.calls.size() < 2) return std::nullopt;
  const int64_t after = std::max_element(leg.calls.begin(), leg.calls.end(), [](auto& a, auto& b) {
                          return a.second < b.second;
                        })->first;
  std::vector<double> there;
  std::vector<double> elsewhere;
  for (const PrecededCalls::Timed& call : leg.timed) {
    (call.after == after ? there : elsewhere).push_back(call.speed);
  }
  const auto difference = difference_between(elsewhere, there);
  if (!difference) return std::nullopt;
  return OrderEffect{index, after, *difference, 1};
}

}  // namespace

void PrecededCalls::add(const RunMeta& meta, const CallRecord& call) {
  const auto after = leg_before(meta, call.index);
  if (!after) return;
  ++calls[*after];
  if (call.outcome != Outcome::kOk) return;
  if (const auto speed = speed_of(call)) timed.push_back({*after, *speed});
}

std::vector<OrderEffect> order_effects(std::span<const PrecededCalls> legs) {
  std::vector<OrderEffect> effects;
  for (size_t i = 0; i < legs.size(); ++i) {
    if (auto effect = effect_on(i, legs[i])) effects.push_back(*effect);
  }
  std::vector<double> p_values;
  for (const OrderEffect& effect : effects) p_values.push_back(effect.difference.p_value());
  const auto adjusted = holm(p_values);
  for (size_t i = 0; i < effects.size(); ++i) effects[i].p = adjusted[i];
  return effects;
}

}  // namespace assay
