#include "stats/leg_marks.h"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <span>
#include <utility>

#include "stats/ceiling.h"
#include "stats/order_effect.h"
#include "stats/references.h"
#include "stats/scenario.h"

namespace assay {
namespace {

void add_invalid(const std::optional<CeilingShare>& ceiling, std::string_view what,
                 LegResult& leg) {
  if (!ceiling || ceiling->share <= kImpossibleShare) return;
  leg.marks.push_back({"invalid", fmt::format("{} would take {:.0f} % of this machine's {}", what,
                                              100 * ceiling->share, ceiling->of)});
}

void add_client_limit(const RunMeta& meta, const EventSpan& events, LegResult& leg) {
  const auto& calibration = meta.instrument.calibration;
  if (!calibration || calibration->events_per_sec <= 0) return;
  const auto rate = events.rate();
  if (!rate || *rate <= kClientShare * calibration->events_per_sec) return;
  leg.marks.push_back(
      {"client_limited", fmt::format("{:.0f} events/s, and this client was seen to take {:.0f}",
                                     *rate, calibration->events_per_sec)});
}

void add_order_effects(const RunMeta& meta, std::span<const PrecededCalls> preceded,
                       std::vector<LegResult>& legs) {
  constexpr double kAlpha = 0.05;
  for (const OrderEffect& effect : order_effects(preceded)) {
    const double change = effect.difference.change();
    if (effect.p > kAlpha || std::fabs(change) < kOrderShare) continue;
    const int64_t prompt = meta.legs[static_cast<size_t>(effect.after)].prompt;
    legs[effect.leg].marks.push_back(
        {"order_effect",
         fmt::format("{:+.1f} % right after a call of {}", 100 * change,
                     prompt >= 0 ? meta.prompts[static_cast<size_t>(prompt)].id : "another leg")});
  }
}

void add_void(const RunMeta& meta, const Answers& answers, LegResult& leg) {
  if (leg.leg < 0 || leg.leg >= static_cast<int64_t>(meta.legs.size())) return;
  VoidReason reason =
      void_reason(meta, meta.legs[static_cast<size_t>(leg.leg)], leg.prefix, answers);
  if (reason.text.empty()) return;
  leg.marks.push_back({"void", std::move(reason.text)});
  leg.queued = reason.queued;
  leg.metrics.clear();
  leg.aggregate_tps.reset();
  leg.requests_per_sec.reset();
  leg.all_calls.reset();
  leg.course.reset();
}

}  // namespace

void mark_legs(const RunMeta& meta, std::vector<LegEvidence> evidence,
               std::vector<LegResult>& legs) {
  std::vector<PrecededCalls> preceded;
  for (size_t i = 0; i < legs.size(); ++i) {
    LegResult& leg = legs[i];
    preceded.push_back(std::move(evidence[i].preceded));
    add_void(meta, evidence[i].answers, leg);
    add_invalid(decode_ceiling(meta, leg), "decode", leg);
    add_invalid(prefill_ceiling(meta, leg), "prefill", leg);
    add_client_limit(meta, evidence[i].events, leg);
    if (leg.cell < 0) continue;
    for (LegMark& mark : off_references(meta.cells[static_cast<size_t>(leg.cell)], leg)) {
      leg.marks.push_back(std::move(mark));
    }
  }
  add_order_effects(meta, preceded, legs);
}

const LegMark* find_mark(const LegResult& leg, std::string_view code) {
  const auto it = std::find_if(leg.marks.begin(), leg.marks.end(),
                               [&](const LegMark& mark) { return mark.code == code; });
  return it == leg.marks.end() ? nullptr : &*it;
}

}  // namespace assay
