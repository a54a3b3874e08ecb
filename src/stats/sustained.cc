#include "stats/sustained.h"

#include <algorithm>
#include <array>
#include <limits>

#include "stats/difference.h"
#include "stats/leg_marks.h"
#include "stats/machine_samples.h"

namespace assay {
namespace {

using Blocks = std::array<double, kSustainedBlocks>;

double mean_of(const Blocks& blocks) {
  double sum = 0;
  for (const double block : blocks) sum += block;
  return sum / static_cast<double>(blocks.size());
}

/// The part of a stretch's tokens that lies in a span, were they spread evenly over it.
double tokens_in(const Span& stretch, double tokens, const Span& span) {
  if (stretch.to_ns <= stretch.from_ns) {
    const bool inside = stretch.from_ns >= span.from_ns && stretch.from_ns < span.to_ns;
    return inside ? tokens : 0;
  }
  const int64_t shared =
      std::min(stretch.to_ns, span.to_ns) - std::max(stretch.from_ns, span.from_ns);
  if (shared <= 0) return 0;
  return tokens * static_cast<double>(shared) /
         static_cast<double>(stretch.to_ns - stretch.from_ns);
}

}  // namespace

void SustainedCalls::add(const CallRecord& r) {
  if (!r.final || r.outcome != Outcome::kOk || r.leg < 0) return;
  if (static_cast<size_t>(r.leg) >= meta_.legs.size() || r.phase != Phase::kMeasure) return;
  if (!meta_.legs[static_cast<size_t>(r.leg)].sustain_s || !r.at.sent || !r.at.done) return;
  Call call{*r.at.sent, *r.at.done, r.at.first_text.value_or(*r.at.done),
            r.at.last_text.value_or(*r.at.done), r.completion_tokens};
  legs_[r.leg].push_back(call);
}

Sustained SustainedCalls::figure_of(std::span<const Call> calls) const {
  Sustained out;
  Span whole{calls.front().sent_ns, std::numeric_limits<int64_t>::max()};
  int64_t last_sent = whole.from_ns;
  for (const Call& call : calls) {
    whole.from_ns = std::min(whole.from_ns, call.sent_ns);
    last_sent = std::max(last_sent, call.sent_ns);
  }
  // From the first answer that no question followed, fewer calls are in flight.
  for (const Call& call : calls) {
    if (call.done_ns >= last_sent) whole.to_ns = std::min(whole.to_ns, call.done_ns);
  }
  out.seconds = seconds_of({&whole, 1});
  const int64_t length = std::min(kSustainedWindowNs, (whole.to_ns - whole.from_ns) / 2);
  out.window_s = static_cast<double>(length) / 1e9;
  out.first.span = {whole.from_ns, whole.from_ns + length};
  out.last.span = {whole.to_ns - length, whole.to_ns};
  const bool counted =
      std::all_of(calls.begin(), calls.end(), [](const Call& c) { return c.tokens.has_value(); });
  if (!counted) {
    out.missing = "no_token_count";
    return out;
  }
  if (length < kSustainedBlocks) {
    out.missing = "too_short";
    return out;
  }
  Blocks blocks[2]{};
  SustainedWindow* windows[2]{&out.first, &out.last};
  for (size_t side = 0; side < 2; ++side) {
    const int64_t step = length / kSustainedBlocks;
    for (int64_t block = 0; block < kSustainedBlocks; ++block) {
      const int64_t from = windows[side]->span.from_ns + block * step;
      double tokens = 0;
      for (const Call& call : calls) {
        tokens += tokens_in({call.first_text_ns, call.last_text_ns},
                            static_cast<double>(*call.tokens), {from, from + step});
      }
      blocks[side][static_cast<size_t>(block)] = tokens / (static_cast<double>(step) / 1e9);
    }
    windows[side]->tps = mean_of(blocks[side]);
  }
  if (*out.first.tps <= 0) {
    out.missing = "no_tokens";
    return out;
  }
  out.ratio = *out.last.tps / *out.first.tps;
  if (const auto difference = difference_between(blocks[0], blocks[1])) {
    const Interval ci = difference->ci95();
    out.ratio_ci95 = Interval{1 + ci.low, 1 + ci.high};
  }
  return out;
}

void SustainedCalls::finish(int64_t resumes, std::span<const TelemetryStream> streams,
                            std::vector<LegResult>& legs) const {
  std::map<int64_t, LegResult*> largest;
  for (LegResult& leg : legs) {
    LegResult*& known = largest[leg.leg];
    if (known == nullptr || leg.ok > known->ok) known = &leg;
  }
  for (const auto& [index, calls] : legs_) {
    const auto found = largest.find(index);
    if (found == largest.end()) continue;
    LegResult& leg = *found->second;
    if (find_mark(leg, "void") != nullptr) continue;
    Sustained figure = figure_of(calls);
    // What cooled down in between is no sustained load.
    if (resumes > 0) {
      figure = Sustained();
      figure.missing = "resumed";
    }
    const TelemetryStream* machine = stream_of(streams, leg.cell_id);
    if (figure.missing.empty() && machine != nullptr) {
      figure.devices = device_courses(*machine, figure.first.span, figure.last.span);
    }
    leg.sustained = figure;
  }
}

}  // namespace assay
