#include "stats/prefix_guard.h"

#include <algorithm>
#include <iterator>

#include "stats/scenario.h"

namespace assay {
namespace {

bool is_salted(const RunMeta& meta, int64_t leg) {
  if (leg < 0 || leg >= static_cast<int64_t>(meta.legs.size())) return false;
  const int64_t prompt = meta.legs[static_cast<size_t>(leg)].prompt;
  if (prompt < 0 || prompt >= static_cast<int64_t>(meta.prompts.size())) return false;
  return meta.prompts[static_cast<size_t>(prompt)].salt == Prompt::Salt::kPerCall;
}

/// What the chat template puts before each salt is the same in every call, and nobody else's.
double template_tokens(const RunMeta& meta, const ServerCounters& stage) {
  double tokens = 0;
  for (const int64_t index : stage.legs) {
    const Leg& leg = meta.legs[static_cast<size_t>(index)];
    if (leg.cell < 0 || leg.cell >= std::ssize(meta.cells)) continue;
    const Cell& cell = meta.cells[static_cast<size_t>(leg.cell)];
    tokens += static_cast<double>(leg.calls * cell.prompt_overhead.value_or(kUsualOverhead));
  }
  return tokens;
}

}  // namespace

std::optional<double> salted_hit_share(const LedgerContent& ledger) {
  std::optional<double> worst;
  if (!ledger.end) return worst;
  for (const ServerCounters& stage : ledger.end->leg_counters) {
    const bool salted = !stage.legs.empty() &&
                        std::all_of(stage.legs.begin(), stage.legs.end(),
                                    [&](int64_t leg) { return is_salted(ledger.meta, leg); });
    if (!salted || !stage.prefix_hits || stage.prefix_queries.value_or(0) <= 0) continue;
    const auto foreign =
        static_cast<double>(*stage.prefix_hits) - template_tokens(ledger.meta, stage);
    const double share = std::max(0.0, foreign) / static_cast<double>(*stage.prefix_queries);
    worst = std::max(worst.value_or(share), share);
  }
  return worst;
}

}  // namespace assay
