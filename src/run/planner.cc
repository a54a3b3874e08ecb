#include "run/planner.h"

#include <algorithm>
#include <utility>
#include <vector>

#include "run/interleave.h"
#include "run/prompt_plans.h"
#include "run/repeat.h"
#include "run/stage.h"
#include "run/suites.h"
#include "run/token_plans.h"

namespace assay {
namespace {

enum class Kind : uint8_t { kSpeed, kSynthetic, kPrompt, kSuite, kBaseline };

Kind kind_of(const RunSpec& spec) {
  if (!spec.prompt.empty()) return Kind::kPrompt;
  if (!spec.input_len.empty() || !spec.output_len.empty() || !spec.depth.empty() ||
      spec.sustain.count() > 0) {
    return Kind::kSynthetic;
  }
  if (spec.suite.empty() && !spec.cells_yaml.empty()) return Kind::kBaseline;
  return spec.suite.empty() || spec.suite == "speed" ? Kind::kSpeed : Kind::kSuite;
}

Result<Suite> suite_of(const RunSpec& spec, Kind kind) {
  if (kind == Kind::kBaseline) return load_baseline_suite(spec.prompts_yaml);
  return load_suite(kind == Kind::kSpeed ? "speed" : spec.suite);
}

}  // namespace

std::optional<int64_t> needed_context(const RunSpec& spec) {
  if (spec.context_length) return spec.context_length;
  const Kind kind = kind_of(spec);
  if (kind == Kind::kSpeed) return kSpeedDepth + 512;
  if (kind != Kind::kSynthetic) return std::nullopt;
  int64_t longest = 0;
  for (const int64_t n : spec.input_len) longest = std::max(longest, n);
  for (const int64_t n : spec.depth) longest = std::max(longest, n);
  int64_t answer = 128;
  for (const int64_t n : spec.output_len) answer = std::max(answer, n);
  return longest + answer + 256;
}

bool needs_estimates(const RunSpec& spec) {
  const Kind kind = kind_of(spec);
  return kind == Kind::kSpeed || kind == Kind::kSynthetic || spec.sustain.count() > 0;
}

Result<void> make_plan(const RunSpec& spec, RunMeta& meta, std::span<const Variant> variants,
                       const FitOf& fit) {
  PlanBuilder plan(meta, spec, fit);
  const Kind kind = kind_of(spec);
  Suite suite;
  std::vector<int64_t> prompts;
  if (kind == Kind::kPrompt) {
    suite.name = "prompt";
    Prompt prompt = make_prompt("", spec.prompt);
    prompt.id = "prompt-" + prompt.sha256.substr(0, 8);
    suite.prompts.push_back(std::move(prompt));
    suite.revision = suite.prompts[0].sha256.substr(0, 12);
  } else if (kind == Kind::kSynthetic) {
    suite.name = "synthetic";
    suite.revision = "1";
  } else {
    auto loaded = suite_of(spec, kind);
    if (!loaded) return fail(loaded.error());
    suite = std::move(*loaded);
  }
  meta.suite = suite.name;
  meta.suite_rev = suite.revision;
  if (spec.full && (spec.max_concurrency == 1 || spec.authorize_load.empty())) {
    meta.notes.emplace_back(
        "parallel calls were not made: they need --max-concurrency and --authorize-load");
  }
  for (const Prompt& prompt : suite.prompts) prompts.push_back(plan.add_prompt(prompt));
  if (kind == Kind::kSpeed) meta.budget_s = static_cast<double>(spec.budget.count()) / 1e9;

  const auto available = static_cast<double>(std::max<int64_t>(1, available_cells(meta)));
  const auto levels = static_cast<double>(levels_of(spec).size());
  for (int64_t i = 0; i < static_cast<int64_t>(meta.cells.size()); ++i) {
    const Cell& cell = meta.cells[static_cast<size_t>(i)];
    if (!cell.unavailable.empty()) {
      plan.add_rounds({plan.add_leg(i, -1, Phase::kSkipped, 1, CallSettings(), cell.unavailable)});
      continue;
    }
    const RunSpec& own = variants.empty() ? spec : variants[static_cast<size_t>(i)].spec;
    if (spec.smoke && !prompts.empty()) {
      plan.add_rounds({plan.add_leg(i, prompts[0], Phase::kMeasure, 1,
                                    prompt_settings(spec, meta, prompts[0]))});
      continue;
    }
    // Its calls are planned in turn with those of the cell itself.
    if (!cell.routed_from.empty() && suite.cold_and_warm) continue;
    switch (kind) {
      case Kind::kSpeed:
        plan_speed_cell(own, meta, i, *meta.budget_s / available / levels, plan);
        break;
      case Kind::kSynthetic:
        plan_synthetic_cell(own, meta, i, plan);
        break;
      case Kind::kPrompt:
        plan_prompt_cell(own, prompts[0], i, plan);
        break;
      case Kind::kSuite:
      case Kind::kBaseline:
        if (suite.cold_and_warm) {
          plan_baseline_cell(own, prompts, meta, i, plan);
        } else {
          plan_suite_cell(own, suite, prompts, meta, i, plan);
        }
        break;
    }
  }
  repeat_for_levels(levels_of(spec), meta);
  repeat_for_restarts(spec.restarts, meta);
  if (!spec.ab.empty()) interleave_cells(meta);
  return {};
}

std::optional<double> predicted_seconds(const RunMeta& meta, int64_t cell) {
  const Cell& c = meta.cells[static_cast<size_t>(cell)];
  if (!c.estimated_prefill_tps || !c.estimated_decode_tps) return std::nullopt;
  double seconds = 0;
  for (const Leg& leg : meta.legs) {
    if (leg.cell != cell || leg.prompt < 0 || !leg.skip.empty()) continue;
    const Prompt& prompt = meta.prompts[static_cast<size_t>(leg.prompt)];
    const double prefill =
        static_cast<double>(prompt.target_tokens.value_or(32)) / *c.estimated_prefill_tps;
    const double answer =
        static_cast<double>(leg.settings.max_tokens.value_or(256)) / *c.estimated_decode_tps;
    const auto calls = static_cast<double>(leg.calls);
    seconds += answer * calls + prefill * (prompt.salt == Prompt::Salt::kPerLeg ? 1 : calls);
  }
  return seconds;
}

}  // namespace assay
