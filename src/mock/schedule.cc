#include "mock/schedule.h"

#include <algorithm>
#include <cmath>
#include <numbers>

#include "base/random.h"

namespace assay {

namespace {

/// Standard normal, by Box and Muller; two draws each, so that the sequence is easy to repeat.
double normal(SplitMix64& random) {
  const double radius = std::sqrt(-2 * std::log(1 - random.unit()));
  return radius * std::cos(2 * std::numbers::pi * random.unit());
}

Nanos rounded(double nanoseconds) {
  return Nanos(std::llround(std::clamp(nanoseconds, 0.0, 1e15)));
}

/// Lognormal with the given mean and standard deviation of the gap itself.
struct Lognormal {
  double mu = 0, sigma = 0;
  Lognormal(double mean, double sd) {
    sigma = std::sqrt(std::log1p((sd / mean) * (sd / mean)));
    mu = std::log(mean) - sigma * sigma / 2;
  }
};

}  // namespace

std::vector<Nanos> make_gaps(const MockOptions& options, size_t tokens, uint64_t gap_seed) {
  if (tokens < 2) return {};
  std::vector<Nanos> gaps(tokens - 1, options.gap);
  const auto mean = static_cast<double>(options.gap.count());
  const auto sd = static_cast<double>(options.gap_sd.count());
  SplitMix64 random(gap_seed);
  switch (options.gap_distribution) {
    case GapDistribution::kConstant:
      break;
    case GapDistribution::kNormal:
      for (Nanos& gap : gaps) gap = rounded(mean + sd * normal(random));
      break;
    case GapDistribution::kLognormal: {
      if (mean <= 0) break;
      const Lognormal shape(mean, sd);
      for (Nanos& gap : gaps) gap = rounded(std::exp(shape.mu + shape.sigma * normal(random)));
      break;
    }
    case GapDistribution::kList:
      for (size_t i = 0; i < gaps.size() && !options.gap_list.empty(); ++i) {
        gaps[i] = options.gap_list[i % options.gap_list.size()];
      }
      break;
  }
  return gaps;
}

Schedule make_schedule(const MockOptions& options, MonoNs received, MonoNs start, Nanos load,
                       int64_t new_prompt_tokens, size_t tokens, uint64_t gap_seed) {
  Schedule schedule;
  schedule.received = received;
  schedule.start = start;
  schedule.load = load;
  schedule.prefill = options.ttft;
  if (options.prefill_tps > 0) {
    schedule.prefill += rounded(static_cast<double>(new_prompt_tokens) / options.prefill_tps * 1e9);
  }
  schedule.first = start + (load + schedule.prefill).count();
  schedule.last = schedule.first;
  if (tokens == 0) return schedule;
  schedule.due.push_back(schedule.first);
  for (const Nanos gap : make_gaps(options, tokens, gap_seed)) {
    schedule.due.push_back(schedule.due.back() + gap.count());
  }
  schedule.last = schedule.due.back();
  return schedule;
}

}  // namespace assay
