#include "run/planner.h"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>

#include "base/random.h"
#include "base/text.h"
#include "model/json.h"
#include "run/interleave.h"
#include "run/synthetic.h"

namespace assay {
namespace {

constexpr int64_t kUsualRepetitions = 10;
constexpr int64_t kSaltWords = 10;
constexpr double kUsualTokensPerWord = 1.3;
constexpr int64_t kDepth = 4096;
constexpr int64_t kStandIn = 1024;  // Prompt length in place of a skipped depth.

CallSettings settings_of(const RunSpec& spec) {
  CallSettings s;
  s.max_tokens = spec.max_tokens;
  s.temperature = spec.temperature;
  s.top_p = spec.top_p;
  s.top_k = spec.top_k;
  s.seed = spec.sampling_seed;
  s.context_length = spec.context_length;
  s.cache_prompt = spec.cache_prompt;
  return s;
}

/// Adds legs and calls to a plan, stage after stage.
class PlanBuilder {
 public:
  PlanBuilder(RunMeta& meta, const RunSpec& spec, const FitOf& fit)
      : meta_(meta), spec_(spec), fit_(fit) {}

  int64_t add_prompt(Prompt prompt) {
    meta_.prompts.push_back(std::move(prompt));
    return static_cast<int64_t>(meta_.prompts.size()) - 1;
  }

  int64_t add_leg(int64_t cell, int64_t prompt, Phase phase, int64_t calls,
                  const CallSettings& settings, std::string skip = {}) {
    Leg leg;
    leg.cell = cell;
    leg.prompt = prompt;
    leg.phase = phase;
    leg.concurrency = phase == Phase::kMeasure ? std::min(spec_.max_concurrency, calls) : 1;
    if (phase == Phase::kMeasure && spec_.request_rate) {
      leg.request_rate = spec_.request_rate;
      leg.arrivals = from_text<Arrivals>(spec_.arrivals).value_or(Arrivals::kConstant);
    }
    leg.calls = calls;
    leg.settings = settings;
    const Cell& served = meta_.cells[static_cast<size_t>(cell)];
    leg.settings_hash = settings_hash(settings, served.load_effective);
    leg.requested_settings_hash = settings_hash(settings, served.load_requested);
    leg.skip = std::move(skip);
    fit_to_engine(leg);
    meta_.legs.push_back(std::move(leg));
    return static_cast<int64_t>(meta_.legs.size()) - 1;
  }

  /// One stage: one call of each leg a round, in an order of its own, so that what a call does to
  /// the next does not always hit the same leg.
  void add_rounds(std::vector<int64_t> legs) {
    int64_t most = 0;
    for (const int64_t leg : legs) most = std::max(most, leg_at(leg).calls);
    for (int64_t round = 0; round < most; ++round) {
      shuffle(legs, meta_.seed ^ static_cast<uint64_t>(round));
      for (const int64_t leg : legs) {
        if (round < leg_at(leg).calls) meta_.calls.push_back(PlannedCall{leg, round, stage_, 0});
      }
    }
    ++stage_;
  }

  /// Calls before all others that load the model first.
  void add_cold(int64_t cell, int64_t prompt, CallSettings settings) {
    if (spec_.cold == 0) return;
    const Cell& c = meta_.cells[static_cast<size_t>(cell)];
    std::string skip;
    if (c.cold_kind == "process_warm") {
      skip = fmt::format("not supported by {}: cold", c.kind);
    }
    add_rounds({add_leg(cell, prompt, Phase::kCold, spec_.cold, settings, std::move(skip))});
  }

  /// Warm-up calls, in a stage of their own.
  void add_warmup(int64_t cell, int64_t prompt, CallSettings settings, int64_t calls) {
    if (calls > 0) add_rounds({add_leg(cell, prompt, Phase::kWarmup, calls, settings)});
  }

 private:
  /// What the engine cannot be asked for at all is not left out in silence.
  void fit_to_engine(Leg& leg) const {
    if (!fit_ || !leg.skip.empty()) return;
    SettingsFit fit = fit_(leg.cell, leg.settings);
    leg.not_sent = std::move(fit.not_sent);
    if (fit.missing.empty()) return;
    const Cell& cell = meta_.cells[static_cast<size_t>(leg.cell)];
    leg.skip = fmt::format("not supported by {}: {}", cell.kind, join(fit.missing, ", "));
  }

  static void shuffle(std::vector<int64_t>& legs, uint64_t seed) {
    SplitMix64 random(seed);
    for (size_t left = legs.size(); left > 1; --left) {
      std::swap(legs[left - 1], legs[random.below(left)]);
    }
  }
  [[nodiscard]] const Leg& leg_at(int64_t leg) const {
    return meta_.legs[static_cast<size_t>(leg)];
  }
  RunMeta& meta_;
  const RunSpec& spec_;
  const FitOf& fit_;
  int64_t stage_ = 0;
};

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

/// Whether each call sizes its context, so that one that nobody asked for is asked for as well.
bool sizes_context(const Cell& cell) { return cell.kind == "ollama"; }

CallSettings fixed_settings(const RunSpec& spec, const Cell& cell, int64_t tokens) {
  CallSettings settings = settings_of(spec);
  settings.max_tokens = tokens;
  settings.fixed_length = true;
  if (!settings.context_length && sizes_context(cell)) {
    settings.context_length = needed_context(spec);
  }
  return settings;
}

/// llama.cpp and vLLM are known to go on to the length that is asked for; elsewhere the prompt asks
/// too.
bool fixes_length(const Cell& cell) { return cell.kind == "llamacpp" || cell.kind == "vllm"; }

/// Why a leg of that many tokens does not fit, or empty.
std::string misfit(const Cell& cell, int64_t tokens) {
  if (sizes_context(cell) || !cell.context_length || *cell.context_length >= tokens) return {};
  return fmt::format("context {}", *cell.context_length);
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
                    kDepth / prefill + answer, answer * 1.2};
}

void plan_speed_cell(const RunSpec& spec, RunMeta& meta, int64_t index, double budget_s,
                     PlanBuilder& plan) {
  const Cell& cell = meta.cells[static_cast<size_t>(index)];
  const bool ask = !fixes_length(cell);
  const auto tg =
      plan.add_prompt(synthetic_prompt(cell, "tg128", 32 + cell.prompt_overhead.value_or(0),
                                       Prompt::Salt::kPerCall, meta.seed, ask));
  const auto pp = plan.add_prompt(
      synthetic_prompt(cell, "pp512", 512, Prompt::Salt::kPerCall, meta.seed + 1, false));
  const auto deep = plan.add_prompt(
      synthetic_prompt(cell, "tg128@d4096", kDepth, Prompt::Salt::kPerLeg, meta.seed + 2, ask));
  const auto times = speed_times(cell);

  std::string skip_depth = misfit(cell, kDepth + 128);
  if (skip_depth.empty() && times && kDepth / *cell.estimated_prefill_tps > budget_s / 3) {
    skip_depth = "budget";
    meta.notes.push_back(
        fmt::format("{}: a prompt of {} tokens would take {:.0f} s, more than a "
                    "third of the budget: skipped",
                    cell.id, kDepth, kDepth / *cell.estimated_prefill_tps));
  }
  int64_t calls = kUsualRepetitions;
  if (spec.repetitions) {
    calls = *spec.repetitions;
  } else if (times) {
    const bool with_depth = skip_depth.empty();
    const double round = times->tg + times->pp + (with_depth ? times->depth_rest : times->stand_in);
    const double once = with_depth ? times->depth_first - times->depth_rest : 0;
    calls =
        std::clamp(static_cast<int64_t>((budget_s - once) / round), int64_t{1}, kUsualRepetitions);
  }
  // The bundled engine and most servers keep one prefix a slot: the calls at depth follow one
  // another, or each would have to read its context again.
  plan.add_cold(index, tg, fixed_settings(spec, cell, 128));
  plan.add_warmup(index, tg, fixed_settings(spec, cell, 16), spec.warmup);
  std::vector<int64_t> mixed{
      plan.add_leg(index, tg, Phase::kMeasure, calls, fixed_settings(spec, cell, 128)),
      plan.add_leg(index, pp, Phase::kMeasure, calls, fixed_settings(spec, cell, 1))};
  if (!skip_depth.empty() && misfit(cell, kStandIn + 1).empty()) {
    const auto stand_in = plan.add_prompt(
        synthetic_prompt(cell, "pp1024", kStandIn, Prompt::Salt::kPerCall, meta.seed + 3, false));
    mixed.push_back(
        plan.add_leg(index, stand_in, Phase::kMeasure, calls, fixed_settings(spec, cell, 1)));
  }
  plan.add_rounds(mixed);
  plan.add_rounds({plan.add_leg(index, deep, Phase::kMeasure, calls,
                                fixed_settings(spec, cell, 128), skip_depth)});
}

void plan_synthetic_cell(const RunSpec& spec, RunMeta& meta, int64_t index, PlanBuilder& plan) {
  const Cell& cell = meta.cells[static_cast<size_t>(index)];
  const bool ask = !fixes_length(cell);
  const int64_t calls = spec.repetitions.value_or(kUsualRepetitions);
  const std::vector<int64_t> outputs =
      spec.output_len.empty() ? std::vector<int64_t>{128} : spec.output_len;
  bool warm = false;
  const auto add = [&](Prompt prompt, int64_t tokens, int64_t output) {
    const int64_t at = plan.add_prompt(std::move(prompt));
    if (!warm) {
      plan.add_cold(index, at, fixed_settings(spec, cell, output));
      plan.add_warmup(index, at, fixed_settings(spec, cell, std::min<int64_t>(output, 16)),
                      spec.warmup);
    }
    warm = true;
    plan.add_rounds(
        {plan.add_leg(index, at, Phase::kMeasure, calls, fixed_settings(spec, cell, output),
                      misfit(cell, tokens + output))});
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

CallSettings prompt_settings(const RunSpec& spec, const RunMeta& meta, int64_t prompt) {
  CallSettings settings = settings_of(spec);
  if (!settings.max_tokens) {
    settings.max_tokens = meta.prompts[static_cast<size_t>(prompt)].max_tokens;
  }
  return settings;
}

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

/// Source 004's patterns, prompt by prompt: the cold calls, then the warm ones, in turn directly
/// and by the route, then the parallel ones.
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
  const int64_t usual = suite.name == "smoke" ? 1 : kUsualRepetitions;
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
  plan.add_rounds({plan.add_leg(index, prompt, Phase::kMeasure,
                                spec.repetitions.value_or(kUsualRepetitions), settings_of(spec))});
}

/// Each cell's calls `restarts` times over, one load of the model after the other. Skipped legs
/// stay one line each.
void repeat_for_restarts(int64_t restarts, RunMeta& meta) {
  if (restarts <= 1) return;
  const auto leg_at = [&](const PlannedCall& call) -> Leg& {
    return meta.legs[static_cast<size_t>(call.leg)];
  };
  std::vector<PlannedCall> all;
  int64_t stage = -1;
  for (size_t begin = 0; begin < meta.calls.size();) {
    size_t end = begin;
    while (end < meta.calls.size() &&
           leg_at(meta.calls[end]).cell == leg_at(meta.calls[begin]).cell) {
      ++end;
    }
    for (int64_t restart = 0; restart < restarts; ++restart) {
      int64_t last_stage = -1;
      for (size_t i = begin; i < end; ++i) {
        PlannedCall call = meta.calls[i];
        const Leg& leg = leg_at(call);
        if (restart > 0 && !leg.skip.empty()) continue;
        if (call.stage != last_stage) ++stage;
        last_stage = call.stage;
        call.stage = stage;
        call.restart = restart;
        call.run_idx += restart * leg.calls;
        all.push_back(call);
      }
    }
    begin = end;
  }
  meta.calls = std::move(all);
  for (Leg& leg : meta.legs) {
    if (leg.skip.empty()) leg.calls *= restarts;
  }
}

enum class Kind : uint8_t { kSpeed, kSynthetic, kPrompt, kSuite, kBaseline };

Kind kind_of(const RunSpec& spec) {
  if (!spec.prompt.empty()) return Kind::kPrompt;
  if (!spec.input_len.empty() || !spec.output_len.empty() || !spec.depth.empty()) {
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
  if (kind == Kind::kSpeed) return kDepth + 512;
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
  return kind == Kind::kSpeed || kind == Kind::kSynthetic;
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

  const auto available = static_cast<double>(
      std::max<int64_t>(1, std::count_if(meta.cells.begin(), meta.cells.end(),
                                         [](const Cell& c) { return c.unavailable.empty(); })));
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
        plan_speed_cell(own, meta, i, *meta.budget_s / available, plan);
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
  repeat_for_restarts(spec.restarts, meta);
  if (!variants.empty()) interleave_cells(meta);
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
