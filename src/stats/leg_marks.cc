#include "stats/leg_marks.h"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>

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

/// Text-bearing events of the leg a second, over the time from its first sending to its last text.
std::optional<double> event_rate(std::span<const CallRecord> calls, const LegResult& leg) {
  std::optional<int64_t> first;
  std::optional<int64_t> last;
  int64_t events = 0;
  for (const size_t i : leg.calls) {
    const CallRecord& call = calls[i];
    if (!call.at.sent || !call.at.last_text) continue;
    first = std::min(first.value_or(*call.at.sent), *call.at.sent);
    last = std::max(last.value_or(*call.at.last_text), *call.at.last_text);
    events += call.text_events;
  }
  if (!first || *last <= *first) return std::nullopt;
  return static_cast<double>(events) * 1e9 / static_cast<double>(*last - *first);
}

void add_client_limit(const RunMeta& meta, std::span<const CallRecord> calls, LegResult& leg) {
  const auto& calibration = meta.instrument.calibration;
  if (!calibration || calibration->events_per_sec <= 0) return;
  const auto rate = event_rate(calls, leg);
  if (!rate || *rate <= kClientShare * calibration->events_per_sec) return;
  leg.marks.push_back(
      {"client_limited", fmt::format("{:.0f} events/s, and this client was seen to take {:.0f}",
                                     *rate, calibration->events_per_sec)});
}

void add_order_effects(const RunMeta& meta, std::span<const CallRecord> calls,
                       std::vector<LegResult>& legs) {
  constexpr double kAlpha = 0.05;
  for (const OrderEffect& effect : order_effects(meta, calls, legs)) {
    const double change = effect.difference.change();
    if (effect.p > kAlpha || std::fabs(change) < kOrderShare) continue;
    const int64_t prompt = meta.legs[static_cast<size_t>(effect.after)].prompt;
    legs[effect.leg].marks.push_back(
        {"order_effect",
         fmt::format("{:+.1f} % right after a call of {}", 100 * change,
                     prompt >= 0 ? meta.prompts[static_cast<size_t>(prompt)].id : "another leg")});
  }
}

void add_void(const RunMeta& meta, std::span<const CallRecord> calls, LegResult& leg) {
  if (leg.leg < 0 || leg.leg >= static_cast<int64_t>(meta.legs.size())) return;
  std::vector<const CallRecord*> ok;
  for (const size_t i : leg.calls) {
    if (calls[i].outcome == Outcome::kOk && calls[i].prefix == leg.prefix) ok.push_back(&calls[i]);
  }
  std::string reason = void_reason(meta, meta.legs[static_cast<size_t>(leg.leg)], ok);
  if (reason.empty()) return;
  leg.marks.push_back({"void", std::move(reason)});
  leg.metrics.clear();
  leg.aggregate_tps.reset();
  leg.requests_per_sec.reset();
  leg.all_calls.reset();
}

}  // namespace

void mark_legs(const RunMeta& meta, std::span<const CallRecord> calls,
               std::vector<LegResult>& legs) {
  for (LegResult& leg : legs) {
    add_void(meta, calls, leg);
    add_invalid(decode_ceiling(meta, leg), "decode", leg);
    add_invalid(prefill_ceiling(meta, leg), "prefill", leg);
    add_client_limit(meta, calls, leg);
    if (leg.cell < 0) continue;
    for (LegMark& mark : off_references(meta.cells[static_cast<size_t>(leg.cell)], leg)) {
      leg.marks.push_back(std::move(mark));
    }
  }
  add_order_effects(meta, calls, legs);
}

const LegMark* find_mark(const LegResult& leg, std::string_view code) {
  const auto it = std::find_if(leg.marks.begin(), leg.marks.end(),
                               [&](const LegMark& mark) { return mark.code == code; });
  return it == leg.marks.end() ? nullptr : &*it;
}

}  // namespace assay
