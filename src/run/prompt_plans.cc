#include "run/prompt_plans.h"

#include <algorithm>
#include <string_view>

namespace assay {
namespace {

bool wants(const Cell& cell, std::string_view pattern) {
  return cell.patterns.empty() ||
         std::find(cell.patterns.begin(), cell.patterns.end(), pattern) != cell.patterns.end();
}

/// The cell that goes to this one by a router, or -1.
int64_t route_of(const RunMeta& meta, int64_t index) {
  const Cell& cell = meta.cells[static_cast<size_t>(index)];
  for (size_t i = 0; i < meta.cells.size(); ++i) {
    const Cell& other = meta.cells[i];
    if (other.routed_from == cell.id && other.unavailable.empty()) return static_cast<int64_t>(i);
  }
  return -1;
}

}  // namespace

CallSettings prompt_settings(const RunSpec& spec, const RunMeta& meta, int64_t prompt) {
  CallSettings settings = settings_of(spec);
  if (!settings.max_tokens) {
    settings.max_tokens = meta.prompts[static_cast<size_t>(prompt)].max_tokens;
  }
  return settings;
}

void plan_baseline_cell(const RunSpec& spec, const std::vector<int64_t>& prompts,
                        const RunMeta& meta, int64_t index, PlanBuilder& plan) {
  constexpr int64_t kWarmCalls = 5;
  const Cell& cell = meta.cells[static_cast<size_t>(index)];
  const int64_t warm_calls = spec.repetitions.value_or(kWarmCalls);
  const int64_t cold_calls = std::max<int64_t>(1, spec.cold);
  const int64_t route = route_of(meta, index);
  const bool parallel = spec.full && spec.max_concurrency > 1 && !spec.authorize_load.empty();
  for (const int64_t prompt : prompts) {
    const CallSettings settings = prompt_settings(spec, meta, prompt);
    if (wants(cell, "cold")) {
      plan.add_rounds({plan.add_leg(index, prompt, Phase::kCold, cold_calls, settings)});
    }
    std::vector<int64_t> warm;
    if (wants(cell, "warm") || route >= 0) {
      warm.push_back(plan.add_leg(index, prompt, Phase::kWarm, warm_calls, settings));
    }
    if (route >= 0) {
      warm.push_back(plan.add_leg(route, prompt, Phase::kWarm, warm_calls, settings));
    }
    if (!warm.empty()) plan.add_rounds(warm);
    if (!parallel || !wants(cell, "parallel")) continue;
    const int64_t calls = std::max(warm_calls, spec.max_concurrency);
    plan.add_rounds({plan.add_leg(index, prompt, Phase::kMeasure, calls, settings)});
  }
}

void plan_suite_cell(const RunSpec& spec, const Suite& suite, const std::vector<int64_t>& prompts,
                     const RunMeta& meta, int64_t index, PlanBuilder& plan) {
  const auto settings_for = [&](int64_t prompt) { return prompt_settings(spec, meta, prompt); };
  plan.add_cold(index, prompts.front(), settings_for(prompts.front()));
  plan.add_warmup(index, prompts.front(), settings_for(prompts.front()), spec.warmup);
  const int64_t usual =
      suite.name == "smoke" && levels_of(spec).size() == 1 ? 1 : usual_repetitions(spec);
  std::vector<int64_t> legs;
  for (const int64_t prompt : prompts) {
    legs.push_back(plan.add_leg(index, prompt, Phase::kMeasure, spec.repetitions.value_or(usual),
                                settings_for(prompt)));
  }
  plan.add_rounds(legs);
}

void plan_prompt_cell(const RunSpec& spec, int64_t prompt, int64_t index, PlanBuilder& plan) {
  plan.add_cold(index, prompt, settings_of(spec));
  plan.add_warmup(index, prompt, settings_of(spec), spec.warmup);
  plan.add_rounds(
      {plan.add_leg(index, prompt, Phase::kMeasure, usual_repetitions(spec), settings_of(spec))});
}

}  // namespace assay
