#include "run/sustain.h"

#include <algorithm>
#include <cmath>
#include <set>
#include <utility>
#include <vector>

namespace assay {
namespace {

/// Seconds that a call takes at least, by the cell's estimate.
double least_seconds(const Cell& cell, const Prompt& prompt, const CallSettings& settings) {
  constexpr double kUnknown = 0.05;
  constexpr int64_t kShortAnswer = 16;  // Where nothing fixes the answer's length.
  if (!cell.estimated_decode_tps || *cell.estimated_decode_tps <= 0) return kUnknown;
  const int64_t tokens = settings.fixed_length
                             ? settings.max_tokens.value_or(kShortAnswer)
                             : std::min(settings.max_tokens.value_or(kShortAnswer), kShortAnswer);
  double seconds = static_cast<double>(tokens) / *cell.estimated_decode_tps;
  const bool is_read = prompt.salt == Prompt::Salt::kPerCall && prompt.target_tokens;
  if (is_read && cell.estimated_prefill_tps.value_or(0) > 0) {
    seconds += static_cast<double>(*prompt.target_tokens) / *cell.estimated_prefill_tps;
  }
  constexpr double kLeast = 1e-3;
  return std::max(seconds, kLeast);
}

int64_t calls_for(const RunSpec& spec, const RunMeta& meta, const Leg& leg, double seconds) {
  constexpr double kFaster = 1.5;
  const double each = least_seconds(meta.cells[static_cast<size_t>(leg.cell)],
                                    meta.prompts[static_cast<size_t>(leg.prompt)], leg.settings);
  const double calls =
      std::ceil(kFaster * seconds / each) * static_cast<double>(spec.max_concurrency);
  return std::clamp(static_cast<int64_t>(std::min(calls, 1e9)), spec.max_concurrency,
                    std::max(kMostSustained, spec.max_concurrency));
}

}  // namespace

void sustain_legs(const RunSpec& spec, RunMeta& meta) {
  if (spec.sustain.count() == 0) return;
  const double seconds = static_cast<double>(spec.sustain.count()) / 1e9;
  std::vector<PlannedCall> calls;
  std::set<int64_t> sustained;
  int64_t stage = -1;
  int64_t copied = -1;  // The planned stage that is being copied.
  for (PlannedCall call : meta.calls) {
    Leg& leg = meta.legs[static_cast<size_t>(call.leg)];
    if (leg.phase != Phase::kMeasure || !leg.skip.empty() || leg.prompt < 0) {
      if (std::exchange(copied, call.stage) != call.stage) ++stage;
      call.stage = stage;
      calls.push_back(call);
      continue;
    }
    copied = -1;
    if (!sustained.insert(call.leg).second) continue;
    leg.sustain_s = seconds;
    leg.concurrency = spec.max_concurrency;
    leg.calls = calls_for(spec, meta, leg, seconds);
    ++stage;
    for (int64_t i = 0; i < leg.calls; ++i) calls.push_back({call.leg, i, stage, 0});
  }
  meta.calls = std::move(calls);
}

}  // namespace assay
