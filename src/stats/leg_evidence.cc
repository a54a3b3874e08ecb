#include "stats/leg_evidence.h"

#include <algorithm>

namespace assay {

void EventSpan::add(const CallRecord& call) {
  if (call.at.sent && call.at.last_text) add({call.at.sent, call.at.last_text, call.text_events});
}

void EventSpan::add(const EventSpan& other) {
  if (!other.first_sent) return;
  first_sent = std::min(first_sent.value_or(*other.first_sent), *other.first_sent);
  last_text = std::max(last_text.value_or(*other.last_text), *other.last_text);
  events += other.events;
}

std::optional<double> EventSpan::rate() const {
  if (!first_sent || *last_text <= *first_sent) return std::nullopt;
  return static_cast<double>(events) * 1e9 / static_cast<double>(*last_text - *first_sent);
}

void LegEvidence::add(const RunMeta& meta, int64_t concurrency, const CallRecord& call) {
  events.add(call);
  if (concurrency <= 1) preceded.add(meta, call);
  if (call.outcome != Outcome::kOk) return;
  answers.add(call);
  if (concurrency > 1) answers.spans.add(call);
}

void LegEvidence::add_unanswered(const LegEvidence& others) {
  events.add(others.events);
  for (const auto& [leg, calls] : others.preceded.calls) preceded.calls[leg] += calls;
}

}  // namespace assay
