#include "run/token_plans.h"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <optional>
#include <string>
#include <vector>

#include "run/planner.h"
#include "run/suites.h"
#include "run/synthetic.h"

namespace assay {
namespace {

constexpr int64_t kSaltWords = 10;
constexpr double kUsualTokensPerWord = 1.3;
constexpr int64_t kStandIn = 1024;  // Prompt length in place of a skipped depth.

/// A prompt of about `tokens` tokens for that cell, salt included.
Prompt synthetic_prompt(const Cell& cell, std::string id, int64_t tokens, Prompt::Salt salt,
                        uint64_t seed, bool ask_for_length) {
  const double per_word = cell.tokens_per_word.value_or(kUsualTokensPerWord);
  const auto available = static_cast<double>(tokens - cell.prompt_overhead.value_or(0));
  const int64_t others = kSaltWords + (ask_for_length ? kLongAnswerRequestWords : 0);
  const int64_t words = std::max<int64_t>(1, std::llround(available / per_word) - others);
  std::string text = synthetic_words(words, seed);
  if (ask_for_length) text += kLongAnswerRequest;
  Prompt prompt = make_prompt(std::move(id), std::move(text));
  prompt.salt = salt;
  prompt.target_tokens = tokens;
  return prompt;
}

/// Where each call sizes its context, one that nobody asked for is asked for as well.
CallSettings fixed_settings(const RunSpec& spec, const SettingsFit& ways, int64_t tokens) {
  CallSettings settings = settings_of(spec);
  settings.max_tokens = tokens;
  settings.fixed_length = true;
  if (!settings.context_length && ways.sizes_context) {
    settings.context_length = needed_context(spec);
  }
  return settings;
}

/// Why a leg of that many tokens does not fit, or empty. A server that is not ours gets the context
/// that is asked for, or the leg is skipped for that.
std::string misfit(const RunSpec& spec, const Cell& cell, const SettingsFit& ways, int64_t tokens) {
  std::optional<int64_t> context = ways.sizes_context ? std::nullopt : cell.context_length;
  if (spec.context_length && !cell.managed) context = spec.context_length;
  if (!context || *context >= tokens) return {};
  return fmt::format("context {}", *context);
}

struct SpeedTimes {
  double tg, pp, stand_in, depth_first, depth_rest;
};

/// Seconds a call of each leg takes by the cell's estimate; absent without one.
std::optional<SpeedTimes> speed_times(const Cell& cell) {
  if (!cell.estimated_prefill_tps || !cell.estimated_decode_tps) return std::nullopt;
  const double prefill = *cell.estimated_prefill_tps;
  const double answer = 128 / *cell.estimated_decode_tps;
  return SpeedTimes{answer + 32 / prefill, 512 / prefill, kStandIn / prefill,
                    kSpeedDepth / prefill + answer, answer * 1.2};
}

}  // namespace

void plan_speed_cell(const RunSpec& spec, RunMeta& meta, int64_t index, double budget_s,
                     PlanBuilder& plan) {
  const Cell& cell = meta.cells[static_cast<size_t>(index)];
  const SettingsFit ways = plan.ways(index);
  const bool ask = !ways.keeps_length;
  const auto tg =
      plan.add_prompt(synthetic_prompt(cell, "tg128", 32 + cell.prompt_overhead.value_or(0),
                                       Prompt::Salt::kPerCall, meta.seed, ask));
  const auto pp = plan.add_prompt(
      synthetic_prompt(cell, "pp512", 512, Prompt::Salt::kPerCall, meta.seed + 1, false));
  const auto deep = plan.add_prompt(synthetic_prompt(cell, "tg128@d4096", kSpeedDepth,
                                                     Prompt::Salt::kPerLeg, meta.seed + 2, ask));
  const auto times = speed_times(cell);

  std::string skip_depth = misfit(spec, cell, ways, kSpeedDepth + 128);
  if (skip_depth.empty() && times && kSpeedDepth / *cell.estimated_prefill_tps > budget_s / 3) {
    skip_depth = "budget";
    meta.notes.push_back(
        fmt::format("{}: a prompt of {} tokens would take {:.0f} s, more than a "
                    "third of the budget: skipped",
                    cell.id, kSpeedDepth, kSpeedDepth / *cell.estimated_prefill_tps));
  }
  int64_t calls = usual_repetitions(spec);
  const std::vector<int64_t> levels = levels_of(spec);
  const int64_t fewest = levels.size() > 1 ? levels.back() : 1;
  if (!spec.repetitions && times) {
    const bool with_depth = skip_depth.empty();
    const double round = times->tg + times->pp + (with_depth ? times->depth_rest : times->stand_in);
    const double once = with_depth ? times->depth_first - times->depth_rest : 0;
    calls = std::clamp(static_cast<int64_t>((budget_s - once) / round), fewest, calls);
  }
  // The bundled engine and most servers keep one prefix a slot: the calls at depth follow one
  // another, or each would have to read its context again.
  plan.add_cold(index, tg, fixed_settings(spec, ways, 128));
  plan.add_warmup(index, tg, fixed_settings(spec, ways, 16), spec.warmup);
  std::vector<int64_t> mixed{
      plan.add_leg(index, tg, Phase::kMeasure, calls, fixed_settings(spec, ways, 128)),
      plan.add_leg(index, pp, Phase::kMeasure, calls, fixed_settings(spec, ways, 1))};
  if (!skip_depth.empty() && misfit(spec, cell, ways, kStandIn + 1).empty()) {
    const auto stand_in = plan.add_prompt(
        synthetic_prompt(cell, "pp1024", kStandIn, Prompt::Salt::kPerCall, meta.seed + 3, false));
    mixed.push_back(
        plan.add_leg(index, stand_in, Phase::kMeasure, calls, fixed_settings(spec, ways, 1)));
  }
  plan.add_rounds(mixed);
  plan.add_rounds({plan.add_leg(index, deep, Phase::kMeasure, calls,
                                fixed_settings(spec, ways, 128), skip_depth)});
}

void plan_synthetic_cell(const RunSpec& spec, RunMeta& meta, int64_t index, PlanBuilder& plan) {
  const Cell& cell = meta.cells[static_cast<size_t>(index)];
  const SettingsFit ways = plan.ways(index);
  const bool ask = !ways.keeps_length;
  const int64_t calls = usual_repetitions(spec);
  const std::vector<int64_t> outputs =
      spec.output_len.empty() ? std::vector<int64_t>{128} : spec.output_len;
  bool warm = false;
  const auto add = [&](Prompt prompt, int64_t tokens, int64_t output) {
    const int64_t at = plan.add_prompt(std::move(prompt));
    if (!warm) {
      plan.add_cold(index, at, fixed_settings(spec, ways, output));
      plan.add_warmup(index, at, fixed_settings(spec, ways, std::min<int64_t>(output, 16)),
                      spec.warmup);
    }
    warm = true;
    plan.add_rounds(
        {plan.add_leg(index, at, Phase::kMeasure, calls, fixed_settings(spec, ways, output),
                      misfit(spec, cell, ways, tokens + output))});
  };
  for (const int64_t output : outputs) {
    for (const int64_t input : spec.input_len) {
      add(synthetic_prompt(cell, fmt::format("in{}-out{}", input, output), input,
                           Prompt::Salt::kPerCall, meta.seed, ask && output > 1),
          input, output);
    }
    if (spec.input_len.empty() && spec.depth.empty()) {
      add(synthetic_prompt(cell, fmt::format("tg{}", output), 32 + cell.prompt_overhead.value_or(0),
                           Prompt::Salt::kPerCall, meta.seed, ask),
          64, output);
    }
    for (const int64_t depth : spec.depth) {
      add(synthetic_prompt(cell, fmt::format("tg{}@d{}", output, depth), depth,
                           Prompt::Salt::kPerLeg, meta.seed + 2, ask),
          depth, output);
    }
  }
}

}  // namespace assay
