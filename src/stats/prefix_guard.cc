#include "stats/prefix_guard.h"

#include <algorithm>

namespace assay {
namespace {

bool is_salted(const RunMeta& meta, int64_t leg) {
  if (leg < 0 || leg >= static_cast<int64_t>(meta.legs.size())) return false;
  const int64_t prompt = meta.legs[static_cast<size_t>(leg)].prompt;
  if (prompt < 0 || prompt >= static_cast<int64_t>(meta.prompts.size())) return false;
  return meta.prompts[static_cast<size_t>(prompt)].salt == Prompt::Salt::kPerCall;
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
    const double share =
        static_cast<double>(*stage.prefix_hits) / static_cast<double>(*stage.prefix_queries);
    worst = std::max(worst.value_or(share), share);
  }
  return worst;
}

}  // namespace assay
