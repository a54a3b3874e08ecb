#include "stats/order_effect.h"

#include <algorithm>
#include <map>
#include <optional>

#include "stats/derive.h"

namespace assay {
namespace {

/// For each planned call of a stage with several legs, the leg of the call before it.
std::map<int64_t, int64_t> predecessors(const RunMeta& meta) {
  std::map<int64_t, int64_t> before;
  for (size_t i = 1; i < meta.calls.size(); ++i) {
    const PlannedCall& last = meta.calls[i - 1];
    if (last.stage == meta.calls[i].stage) before[static_cast<int64_t>(i)] = last.leg;
  }
  return before;
}

std::optional<double> speed_of(const CallRecord& call) {
  if (const auto decode = derive::decode_tps(call)) return decode;
  const auto ttft = derive::ttft_ms(call);
  if (!ttft || *ttft <= 0) return std::nullopt;
  return 1e3 / *ttft;
}

std::optional<OrderEffect> effect_on(size_t index, const LegResult& leg,
                                     std::span<const CallRecord> calls,
                                     const std::map<int64_t, int64_t>& before) {
  std::map<int64_t, int64_t> counts;
  for (const size_t i : leg.calls) {
    if (const auto last = before.find(calls[i].index); last != before.end()) ++counts[last->second];
  }
  if (counts.size() < 2) return std::nullopt;
  const int64_t after = std::max_element(counts.begin(), counts.end(), [](auto& a, auto& b) {
                          return a.second < b.second;
                        })->first;
  std::vector<double> there;
  std::vector<double> elsewhere;
  for (const size_t i : leg.calls) {
    const CallRecord& call = calls[i];
    const auto last = before.find(call.index);
    if (call.outcome != Outcome::kOk || call.prefix != leg.prefix || last == before.end()) continue;
    if (const auto speed = speed_of(call)) {
      (last->second == after ? there : elsewhere).push_back(*speed);
    }
  }
  const auto difference = difference_between(elsewhere, there);
  if (!difference) return std::nullopt;
  return OrderEffect{index, after, *difference, 1};
}

}  // namespace

std::vector<OrderEffect> order_effects(const RunMeta& meta, std::span<const CallRecord> calls,
                                       std::span<const LegResult> legs) {
  const auto before = predecessors(meta);
  std::vector<OrderEffect> effects;
  for (size_t i = 0; i < legs.size(); ++i) {
    if (legs[i].concurrency > 1) continue;
    if (auto effect = effect_on(i, legs[i], calls, before)) effects.push_back(*effect);
  }
  std::vector<double> p_values;
  for (const OrderEffect& effect : effects) p_values.push_back(effect.difference.p_value());
  const auto adjusted = holm(p_values);
  for (size_t i = 0; i < effects.size(); ++i) effects[i].p = adjusted[i];
  return effects;
}

}  // namespace assay
