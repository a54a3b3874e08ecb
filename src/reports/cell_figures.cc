#include "reports/cell_figures.h"

#include <algorithm>
#include <cmath>
#include <functional>
#include <map>
#include <string>

#include "reports/engine_says.h"
#include "stats/ceiling.h"
#include "stats/strata.h"

namespace assay {
namespace {

using Legs = std::vector<const LegResult*>;
using Value = std::optional<double>;

constexpr double kUsualPrompt = 512;  // The length at which engines' prefill speed is often told.

Value mean_of(const LegResult& leg, std::string_view metric) {
  const MetricResult* found = leg.find(metric);
  return found != nullptr ? found->summary.mean : std::nullopt;
}

Legs with_metric(std::span<const LegResult* const> legs, std::string_view metric) {
  Legs found;
  for (const LegResult* leg : legs) {
    if (leg->find(metric) != nullptr) found.push_back(leg);
  }
  return found;
}

int64_t count_of(const LegResult& leg, std::string_view metric) {
  const MetricResult* found = leg.find(metric);
  return found != nullptr ? found->summary.n : 0;
}

/// The leg with most values of `metric` for each prompt, the first among equals.
std::map<std::string, const LegResult*> largest_by_prompt(const Legs& legs,
                                                          std::string_view metric) {
  std::map<std::string, const LegResult*> largest;
  for (const LegResult* leg : legs) {
    const LegResult*& best = largest[leg->prompt_id];
    if (best == nullptr || count_of(*leg, metric) > count_of(*best, metric)) best = leg;
  }
  return largest;
}

Value difference(Value ours, Value theirs) {
  if (!ours || !theirs || *theirs <= 0) return std::nullopt;
  return *ours / *theirs - 1;
}

/// `legs` from the shortest prompt to the longest; those of unknown length last.
Legs by_length(Legs legs) {
  std::stable_sort(legs.begin(), legs.end(), [](const LegResult* a, const LegResult* b) {
    return a->prompt_tokens.value_or(INFINITY) < b->prompt_tokens.value_or(INFINITY);
  });
  return legs;
}

/// The leg of the shortest prompt with most values of `metric`.
const LegResult* shortest(const Legs& legs, std::string_view metric) {
  const Legs sorted = by_length(with_metric(legs, metric));
  if (sorted.empty()) return nullptr;
  const LegResult* best = sorted.front();
  for (const LegResult* leg : sorted) {
    if (leg->prompt_id == best->prompt_id && count_of(*leg, metric) > count_of(*best, metric)) {
      best = leg;
    }
  }
  return best;
}

bool has_prefix(const Legs& legs, std::string_view prompt_id, Prefix prefix) {
  return std::any_of(legs.begin(), legs.end(), [&](const LegResult* leg) {
    return leg->prompt_id == prompt_id && leg->prefix == prefix;
  });
}

std::optional<int64_t> planned_length(const RunMeta& meta, const LegResult& leg) {
  for (const Prompt& prompt : meta.prompts) {
    if (prompt.id == leg.prompt_id && prompt.target_tokens) return prompt.target_tokens;
  }
  return leg.prompt_tokens ? std::optional(std::llround(*leg.prompt_tokens)) : std::nullopt;
}

void add_prefill(const Cell& cell, std::span<const LegResult> all, const Legs& legs,
                 CellSummary& s) {
  const PrefillFit client = fit_prefill(all, cell.id, PrefillTime::kClient);
  const PrefillFit engine = fit_prefill(all, cell.id, PrefillTime::kEngine);
  s.ttft_floor_ms = client.floor_ms;
  // Slopes compare with slopes: both leave out what a call costs at any length.
  if (client.tps && engine.tps) s.pp_difference = difference(client.tps, engine.tps);
  s.engine_pp_tps = engine.tps;
  if (!s.engine_pp_tps) {
    const LegResult* nearest = nullptr;
    const auto distance = [](const LegResult* leg) {
      return std::fabs(leg->prompt_tokens.value_or(0) - kUsualPrompt);
    };
    for (const LegResult* leg : with_metric(legs, "prefill_tps")) {
      if (leg->prefix == Prefix::kReused) continue;
      if (nearest == nullptr || distance(leg) < distance(nearest)) nearest = leg;
    }
    if (nearest != nullptr) s.engine_pp_tps = mean_of(*nearest, "prefill_tps");
  }
  s.pp_tps = client.tps ? client.tps : s.engine_pp_tps;
  if (s.pp_tps) s.pp_source = client.tps ? "client" : "engine";
}

/// Median TTFT over the prompts of `legs`, for each prefix state by itself.
void add_ttft(const Legs& legs, CellSummary& s) {
  const OverPrompts fresh = over_prompts(legs, Prefix::kFresh, "ttft_ms", &Summary::p50);
  const OverPrompts reused = over_prompts(legs, Prefix::kReused, "ttft_ms", &Summary::p50);
  const OverPrompts unknown = over_prompts(legs, Prefix::kUnknown, "ttft_ms", &Summary::p50);
  s.ttft_fresh_ms = fresh.value;
  s.ttft_fresh_calls = fresh.calls;
  s.ttft_reused_ms = reused.value;
  s.ttft_reused_calls = reused.calls;
  s.ttft_unknown_ms = unknown.value;
  s.ttft_unknown_calls = unknown.calls;
}

void add_speed(const RunMeta& meta, const Legs& legs, CellSummary& s) {
  const LegResult* base = shortest(legs, "decode_tps");
  if (base != nullptr) {
    s.tg_tps = mean_of(*base, "decode_tps");
    s.tg_ci95 = base->find("decode_tps")->summary.ci95;
    s.tg_no_ci95 = base->find("decode_tps")->summary.no_ci95;
    s.engine_tg_tps = mean_of(*base, "engine_decode_tps");
    const Legs longest = by_length(with_metric(legs, "decode_tps"));
    for (const LegResult* leg : longest) {
      if (leg->prompt_id == base->prompt_id || !leg->prompt_tokens) continue;
      if (*leg->prompt_tokens < static_cast<double>(kMinDepthTokens)) continue;
      s.tg_depth_tps = mean_of(*leg, "decode_tps");
      s.depth_tokens = planned_length(meta, *leg);
    }
  }
  const Legs timed = by_length(with_metric(legs, "ttft_ms"));
  const LegResult* chosen = timed.empty() ? nullptr : timed.front();
  for (const LegResult* leg : timed) {
    if (has_prefix(timed, leg->prompt_id, Prefix::kFresh) &&
        has_prefix(timed, leg->prompt_id, Prefix::kReused)) {
      chosen = leg;
      break;
    }
  }
  if (chosen == nullptr) return;
  Legs of_prompt = timed;
  std::erase_if(of_prompt,
                [&](const LegResult* leg) { return leg->prompt_id != chosen->prompt_id; });
  add_ttft(of_prompt, s);
}

/// The prompts are strata: mean_over_strata().
void add_over_prompts(const Legs& legs, CellSummary& s) {
  const auto by_prompt = largest_by_prompt(with_metric(legs, "decode_tps"), "decode_tps");
  std::vector<Stratum> strata;
  double engine = 0;
  bool engine_known = !by_prompt.empty();
  for (const auto& [prompt, leg] : by_prompt) {
    const Summary& summary = leg->find("decode_tps")->summary;
    strata.push_back({summary.mean.value_or(0), summary.standard_error, summary.degrees});
    if (s.tg_no_ci95.empty()) s.tg_no_ci95 = summary.no_ci95;
    const Value theirs = mean_of(*leg, "engine_decode_tps");
    engine_known &= theirs.has_value();
    engine += theirs.value_or(0);
  }
  const StratifiedMean mean = mean_over_strata(strata);
  s.tg_tps = mean.mean;
  s.tg_ci95 = mean.ci95;
  if (engine_known) s.engine_tg_tps = engine / static_cast<double>(by_prompt.size());
  add_ttft(legs, s);
}

void add_marks(const RunMeta& meta, const Legs& legs, CellSummary& s) {
  const LegResult* base = shortest(legs, "decode_tps");
  if (base != nullptr) {
    if (const auto ceiling = decode_ceiling(meta, *base)) s.bandwidth_share = ceiling->share;
  }
  for (const LegResult* leg : legs) {
    if (const auto ceiling = prefill_ceiling(meta, *leg)) {
      s.compute_share = std::max(s.compute_share.value_or(0), ceiling->share);
    }
    for (const LegMark& mark : leg->marks) {
      (mark.code == "void" ? s.voided : s.marked) = true;
    }
  }
}

}  // namespace

std::vector<const LegResult*> steady_legs(std::span<const LegResult> legs,
                                          std::string_view cell_id) {
  Legs steady;
  Legs cold;
  for (const LegResult& leg : legs) {
    if (leg.cell_id != cell_id || leg.ok == 0) continue;
    (leg.phase == Phase::kCold ? cold : steady).push_back(&leg);
  }
  Legs chosen = steady.empty() ? cold : steady;
  int64_t lowest = INT64_MAX;
  for (const LegResult* leg : chosen) lowest = std::min(lowest, leg->concurrency);
  std::erase_if(chosen, [&](const LegResult* leg) { return leg->concurrency != lowest; });
  return chosen;
}

OverPrompts over_prompts(std::span<const LegResult* const> legs, Prefix prefix,
                         std::string_view metric, std::optional<double> Summary::*figure) {
  Legs usable = with_metric(legs, metric);
  std::erase_if(usable, [&](const LegResult* leg) {
    return leg->prefix != prefix || !(leg->find(metric)->summary.*figure);
  });
  if (usable.empty()) return {};
  const auto by_prompt = largest_by_prompt(usable, metric);
  std::vector<Stratum> strata;
  int64_t fewest = INT64_MAX;
  for (const auto& [prompt, leg] : by_prompt) {
    const Summary& summary = leg->find(metric)->summary;
    strata.push_back({*(summary.*figure), std::nullopt, 0});
    fewest = std::min(fewest, summary.n);
  }
  return {mean_over_strata(strata).mean, fewest};
}

CellSummary summarise_cell(const RunMeta& meta, int64_t cell_index, std::span<const LegResult> all,
                           const ServerTokens& counted) {
  const Cell& cell = meta.cells[static_cast<size_t>(cell_index)];
  CellSummary s;
  s.cell = cell_index;
  s.skipped_reason = cell.unavailable;
  int64_t most_skipped = 0;
  std::vector<double> cold_loads;
  for (const LegResult& leg : all) {
    if (leg.cell_id != cell.id) continue;
    s.ok += leg.ok;
    s.failed += leg.failed;
    s.skipped += leg.skipped;
    s.estimated_tokens |= leg.estimated_tokens;
    if (cell.unavailable.empty() && leg.skipped > most_skipped) {
      most_skipped = leg.skipped;
      s.skipped_reason = leg.skipped_reason;
    }
    const MetricResult* load = leg.phase == Phase::kCold ? leg.find("load_ms") : nullptr;
    if (load != nullptr) {
      cold_loads.insert(cold_loads.end(), load->values.begin(), load->values.end());
    }
  }
  s.load_ms = cell.load_ms ? cell.load_ms : median(cold_loads);
  s.memory_bytes = cell.memory_bytes;
  const Legs legs = steady_legs(all, cell.id);
  add_prefill(cell, all, legs, s);
  if (meta.suite == "speed") {
    add_speed(meta, legs, s);
  } else {
    add_over_prompts(legs, s);
  }
  s.tg_difference = difference(s.tg_tps, s.engine_tg_tps);
  reconcile(legs, counted, s);
  add_marks(meta, legs, s);
  return s;
}

}  // namespace assay
