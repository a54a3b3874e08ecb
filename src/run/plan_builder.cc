#include "run/plan_builder.h"

#include <fmt/format.h>

#include <algorithm>
#include <utility>

#include "base/random.h"
#include "base/text.h"
#include "model/enum_text.h"
#include "model/json.h"

namespace assay {
namespace {

void shuffle(std::vector<int64_t>& legs, uint64_t seed) {
  SplitMix64 random(seed);
  for (size_t left = legs.size(); left > 1; --left) {
    std::swap(legs[left - 1], legs[random.below(left)]);
  }
}

}  // namespace

CallSettings settings_of(const RunSpec& spec) {
  CallSettings s;
  s.max_tokens = spec.max_tokens;
  s.temperature = spec.temperature;
  s.top_p = spec.top_p;
  s.top_k = spec.top_k;
  s.seed = spec.sampling_seed;
  s.context_length = spec.context_length;
  s.cache_prompt = spec.cache_prompt;
  s.think = spec.think;
  LaunchSettings load = load_settings_of(spec);
  load.context_length.reset();
  if (load != LaunchSettings()) s.load = std::move(load);
  return s;
}

int64_t PlanBuilder::add_prompt(Prompt prompt) {
  meta_.prompts.push_back(std::move(prompt));
  return static_cast<int64_t>(meta_.prompts.size()) - 1;
}

int64_t PlanBuilder::add_leg(int64_t cell, int64_t prompt, Phase phase, int64_t calls,
                             CallSettings settings, std::string skip) {
  const Cell& served = meta_.cells[static_cast<size_t>(cell)];
  if (served.managed) settings.load.reset();  // It was loaded so: Cell::load_requested.
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
  leg.settings_hash = settings_hash(settings, served.load_effective);
  // Others are asked in the calls' own settings.
  const bool is_ours = served.managed || !served.launcher.empty();
  leg.requested_settings_hash =
      settings_hash(settings, is_ours ? served.load_requested : std::nullopt);
  leg.skip = std::move(skip);
  fit_to_engine(leg);
  meta_.legs.push_back(std::move(leg));
  return static_cast<int64_t>(meta_.legs.size()) - 1;
}

void PlanBuilder::add_rounds(std::vector<int64_t> legs) {
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

void PlanBuilder::add_cold(int64_t cell, int64_t prompt, const CallSettings& settings) {
  if (spec_.cold == 0) return;
  const Cell& c = meta_.cells[static_cast<size_t>(cell)];
  std::string skip;
  if (c.cold_kind == "process_warm") {
    skip = fmt::format("{}{}: cold", kNotSupported, c.kind);
  }
  add_rounds({add_leg(cell, prompt, Phase::kCold, spec_.cold, settings, std::move(skip))});
}

SettingsFit PlanBuilder::ways(int64_t cell) const {
  return fit_ ? fit_(cell, CallSettings()) : SettingsFit();
}

void PlanBuilder::add_warmup(int64_t cell, int64_t prompt, const CallSettings& settings,
                             int64_t calls) {
  if (calls > 0) add_rounds({add_leg(cell, prompt, Phase::kWarmup, calls, settings)});
}

/// What the engine cannot be asked for at all is not left out in silence.
void PlanBuilder::fit_to_engine(Leg& leg) const {
  if (!fit_ || !leg.skip.empty()) return;
  SettingsFit fit = fit_(leg.cell, leg.settings);
  const Cell& cell = meta_.cells[static_cast<size_t>(leg.cell)];
  // What an engine of ours was started with needs no word in a call.
  if (cell.managed) std::erase(fit.missing, "context_length");
  leg.not_sent = std::move(fit.not_sent);
  if (fit.missing.empty()) return;
  leg.skip = fmt::format("{}{}: {}", kNotSupported, cell.kind, join(fit.missing, ", "));
}

}  // namespace assay
