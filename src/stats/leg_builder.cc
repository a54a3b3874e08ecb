#include "stats/leg_builder.h"

#include <algorithm>
#include <array>
#include <iterator>
#include <map>
#include <set>
#include <span>
#include <string>
#include <tuple>
#include <utility>
#include <vector>

#include "stats/leg_columns.h"
#include "stats/leg_evidence.h"
#include "stats/leg_marks.h"

namespace assay {
namespace {

constexpr std::array kOrder{Prefix::kFresh, Prefix::kReused, Prefix::kUnknown};
constexpr std::string_view kOtherReasons = "other reasons";

bool is_failed(const CallRecord& r) {
  return r.outcome != Outcome::kOk && r.outcome != Outcome::kSkipped;
}

bool has_flag(const CallRecord& r, std::string_view flag) {
  return std::find(r.flags.begin(), r.flags.end(), flag) != r.flags.end();
}

std::optional<int64_t> taken_up(const CallRecord& r) {
  if (r.at.due) return r.at.due;
  return r.at.start ? r.at.start : r.at.sent;
}

/// When a call was over, answered or given up.
std::optional<int64_t> ended(const CallRecord& r) { return r.at.done ? r.at.done : r.at.ended; }

/// From the first of some instants to the last of others.
struct Span {
  std::optional<int64_t> first;
  std::optional<int64_t> last;

  void add(std::optional<int64_t> from, std::optional<int64_t> to) {
    if (from) first = std::min(first.value_or(*from), *from);
    if (to) last = std::max(last.value_or(*to), *to);
  }
  [[nodiscard]] double seconds() const {
    return first && last && *last > *first ? static_cast<double>(*last - *first) / 1e9 : 0;
  }
};

/// The ok calls of one prefix state.
struct Part {
  LegColumns columns;
  LegEvidence evidence;
  std::vector<size_t> kept;
  Span active;
  int64_t attempts = 0;
  int64_t empty = 0;
  int64_t length = 0;
  bool estimated_tokens = false;
};

/// The records of one planned leg, or of one (cell, prompt, phase, concurrency) without a plan.
struct Group {
  LegResult facts;   ///< What all parts share.
  std::string skip;  ///< The plan's reason, for skipped calls without their own.
  size_t planned = 0;
  std::map<Prefix, Part> parts;
  int64_t n = 0;  ///< Final records.
  int64_t ok = 0;
  int64_t failed = 0;
  int64_t attempts = 0;
  std::map<int64_t, int64_t> retries;  ///< Attempts by call before its final record.
  std::set<int64_t> seen;              ///< Final records of calls that no plan numbers.
  std::map<std::pair<Outcome, std::string>, int64_t> troubles;
  std::vector<size_t> kept;  ///< Of calls that gave no figure.
  LegEvidence evidence;      ///< Of these.
  Span active;               ///< Of these.
  Span taken;                ///< Of all, from being taken up to the end.
  double paused_s = 0;       ///< Of `taken`: the machine was left to cool.
  std::optional<int64_t> tokens = 0;
  std::vector<double> failed_ttft;  ///< Of failed calls that had a first text.
  std::vector<double> ttft_limits;
  std::vector<double> e2e_limits;
};

void add_trouble(const CallRecord& r, Group& group) {
  std::pair key{r.outcome, r.error.value_or("")};
  if (!group.troubles.contains(key) && group.troubles.size() >= kMaxTroubleKinds) {
    key.second = kOtherReasons;
  }
  ++group.troubles[std::move(key)];
  if (!is_failed(r)) return;
  ++group.failed;
  const double waited = derive::waited_ms(r);
  group.e2e_limits.push_back(waited);
  if (const auto first = derive::ttft_ms(r)) {
    group.failed_ttft.push_back(*first);
  } else {
    group.ttft_limits.push_back(waited);
  }
}

void add_once(const std::optional<std::string>& text, std::vector<std::string>& texts) {
  if (!text || text->empty() || texts.size() >= kMaxColdTexts) return;
  if (std::find(texts.begin(), texts.end(), *text) == texts.end()) texts.push_back(*text);
}

/// Returns the part that the call went to.
Part& add_answer(const CallRecord& r, int64_t attempts, Group& group) {
  ++group.ok;
  add_once(r.cold_kind, group.facts.cold_kinds);
  add_once(r.cold_note, group.facts.cold_notes);
  if (group.tokens && r.completion_tokens) {
    *group.tokens += *r.completion_tokens;
  } else {
    group.tokens.reset();
  }
  const auto [found, is_new] = group.parts.try_emplace(r.prefix);
  Part& part = found->second;
  if (is_new) part.columns.reserve(group.planned);
  part.columns.add(r);
  part.active.add(r.at.sent, r.at.done);
  part.attempts += attempts;
  part.empty += has_flag(r, "empty") ? 1 : 0;
  part.length += has_flag(r, "length") ? 1 : 0;
  part.estimated_tokens |= r.token_source == TokenSource::kEstimate;
  return part;
}

/// The text that occurs most often, the first in the alphabet among equals.
std::pair<std::string, int64_t> most_frequent(const std::map<std::string, int64_t>& counts) {
  std::pair<std::string, int64_t> best;
  for (const auto& [text, count] : counts) {
    if (count > best.second) best = {text, count};
  }
  return best;
}

/// Seconds of planned pauses within the span.
double paused_within(const Span& span, std::span<const CoolingWait> waits) {
  if (!span.first || !span.last) return 0;
  double seconds = 0;
  for (const CoolingWait& wait : waits) {
    const int64_t ns = std::min(wait.to_ns, *span.last) - std::max(wait.from_ns, *span.first);
    if (ns > 0) seconds += static_cast<double>(ns) / 1e9;
  }
  return seconds;
}

/// aggregate_tps and requests_per_sec of a whole planned leg.
void add_throughput(const Group& group, LegResult& leg) {
  const double seconds = group.taken.seconds() - group.paused_s;
  if (group.ok == 0 || seconds <= 0) return;
  leg.requests_per_sec = static_cast<double>(group.ok) / seconds;
  if (group.tokens) leg.aggregate_tps = static_cast<double>(*group.tokens) / seconds;
}

std::vector<double> values_of(const LegResult& leg, std::string_view metric) {
  const MetricResult* found = leg.find(metric);
  return found != nullptr ? found->values : std::vector<double>();
}

/// The leg's answered calls and the group's failed ones.
AllCalls all_calls_of(const Group& group, const LegResult& leg) {
  std::vector<double> ttft = values_of(leg, "ttft_ms");
  ttft.insert(ttft.end(), group.failed_ttft.begin(), group.failed_ttft.end());
  // Where no answer tells the latency, that of the failed ones alone says nothing.
  const auto over_all = [&](std::string_view metric, const std::vector<double>& answered,
                            const std::vector<double>& limits) {
    const bool unknown = leg.ok > 0 && leg.find(metric) == nullptr;
    return unknown ? CensoredPercentiles() : censored_percentiles(answered, limits);
  };
  return {over_all("ttft_ms", ttft, group.ttft_limits),
          over_all("e2e_ms", values_of(leg, "e2e_ms"), group.e2e_limits)};
}

/// What belongs to the group as a whole goes to its largest part.
void add_rest(const Group& group, LegResult& leg) {
  std::map<std::string, int64_t> reasons;
  std::map<std::string, int64_t> errors;
  for (const auto& [key, calls] : group.troubles) {
    const auto& [outcome, text] = key;
    leg.troubles.push_back({outcome, text, calls});
    if (outcome != Outcome::kSkipped) {
      errors[text.empty() ? std::string(to_text(outcome)) : text] += calls;
      continue;
    }
    // The ledger says `skipped: reason`, as source 004 wants it.
    constexpr std::string_view kMark = "skipped: ";
    std::string reason = text.empty() ? group.skip : text;
    if (reason.rfind(kMark, 0) == 0) reason.erase(0, kMark.size());
    reasons[reason] += calls;
  }
  leg.skipped = group.n - group.ok - group.failed;
  leg.failed = group.failed;
  leg.skipped_reason = reasons.empty() ? group.skip : most_frequent(reasons).first;
  std::tie(leg.failure, leg.failure_calls) = most_frequent(errors);
  if (leg.failed > 0) leg.all_calls = all_calls_of(group, leg);
  leg.calls.insert(leg.calls.end(), group.kept.begin(), group.kept.end());
  std::sort(leg.calls.begin(), leg.calls.end());
  add_throughput(group, leg);
}

void add_course(LegResult& leg) {
  const MetricResult* e2e = leg.find("e2e_ms");
  if (leg.phase != Phase::kCold && e2e != nullptr && e2e->summary.n >= kMinForCourse) {
    leg.course = judge_course(e2e->values);
  }
}

/// Adds a group's parts, in the order of kOrder, and the evidence of each. Takes what the group
/// holds.
void split_by_prefix(Group& group, std::vector<LegResult>& all,
                     std::vector<LegEvidence>& evidence) {
  if (group.parts.empty()) group.parts.try_emplace(Prefix::kUnknown);
  std::vector<LegResult> legs;
  int64_t attempts_of_ok = 0;
  std::vector<Span> active;
  for (const Prefix prefix : kOrder) {
    const auto found = group.parts.find(prefix);
    if (found == group.parts.end()) continue;
    Part& part = found->second;
    LegResult leg = group.facts;
    leg.prefix = prefix;
    leg.ok = static_cast<int64_t>(part.columns.size());
    leg.attempts = part.attempts;
    leg.empty = part.empty;
    leg.length = part.length;
    leg.estimated_tokens = part.estimated_tokens;
    leg.calls = std::move(part.kept);
    leg.prompt_tokens = median(part.evidence.answers.prompt_tokens);
    leg.metrics = part.columns.finish();
    add_course(leg);
    attempts_of_ok += leg.attempts;
    active.push_back(part.active);
    evidence.push_back(std::move(part.evidence));
    legs.push_back(std::move(leg));
  }
  const auto largest = std::max_element(legs.begin(), legs.end(),
                                        [](const auto& a, const auto& b) { return a.ok < b.ok; });
  const auto at = static_cast<size_t>(largest - legs.begin());
  add_rest(group, *largest);
  largest->attempts += group.attempts - attempts_of_ok;
  active[at].add(group.active.first, group.active.last);
  evidence[evidence.size() - legs.size() + at].add_unanswered(group.evidence);
  for (size_t i = 0; i < legs.size(); ++i) {
    legs[i].active_s = active[i].seconds();
    legs[i].n = legs[i].ok + legs[i].failed + legs[i].skipped;
    legs[i].split = legs.size() > 1;
  }
  std::move(legs.begin(), legs.end(), std::back_inserter(all));
}

}  // namespace

/// Sorts records into groups; planned legs come first, in plan order.
struct LegBuilder::Groups {
  explicit Groups(const RunMeta& run) : meta(run) {
    for (size_t i = 0; i < meta.legs.size(); ++i) list.push_back(planned(i));
  }

  [[nodiscard]] const Cell* cell_at(int64_t index) const {
    if (index < 0 || index >= static_cast<int64_t>(meta.cells.size())) return nullptr;
    return &meta.cells[static_cast<size_t>(index)];
  }

  [[nodiscard]] Group planned(size_t index) const {
    const Leg& leg = meta.legs[index];
    Group group;
    group.facts.leg = static_cast<int64_t>(index);
    if (const Cell* cell = cell_at(leg.cell)) {
      group.facts.cell = leg.cell;
      group.facts.cell_id = cell->id;
    }
    if (leg.prompt >= 0 && leg.prompt < static_cast<int64_t>(meta.prompts.size())) {
      group.facts.prompt_id = meta.prompts[static_cast<size_t>(leg.prompt)].id;
    }
    group.facts.phase = leg.phase;
    group.facts.concurrency = leg.concurrency;
    group.skip = leg.skip;
    // A plan says what was meant, and is no promise.
    group.planned = static_cast<size_t>(
        std::clamp<int64_t>(leg.calls, 0, static_cast<int64_t>(meta.calls.size())));
    return group;
  }

  size_t group_of(const CallRecord& r) {
    if (r.leg >= 0 && r.leg < static_cast<int64_t>(meta.legs.size())) {
      const auto index = static_cast<size_t>(r.leg);
      const LegResult& facts = list[index].facts;
      const bool skipped = r.phase == Phase::kSkipped && facts.phase != Phase::kWarmup;
      if (facts.cell_id == r.cell_id && (facts.phase == r.phase || skipped)) return index;
    }
    const auto [it, is_new] = unplanned.try_emplace(
        std::tuple(r.cell_id, r.prompt_id, r.phase, r.concurrency), list.size());
    if (is_new) list.push_back(without_plan(r));
    return it->second;
  }

  [[nodiscard]] Group without_plan(const CallRecord& r) const {
    Group group;
    for (size_t i = 0; i < meta.cells.size(); ++i) {
      if (meta.cells[i].id == r.cell_id) group.facts.cell = static_cast<int64_t>(i);
    }
    group.facts.cell_id = r.cell_id;
    group.facts.prompt_id = r.prompt_id;
    group.facts.phase = r.phase;
    group.facts.concurrency = r.concurrency;
    return group;
  }

  /// False for a second final record of one call.
  bool is_first(const CallRecord& r, Group& group) {
    const bool planned_leg = group.facts.leg >= 0;
    const auto index = static_cast<size_t>(r.index);
    if (!planned_leg || r.index < 0 || index >= meta.calls.size()) {
      return group.seen.insert(planned_leg ? r.index : r.run_idx).second;
    }
    // One bit for a call of the plan, which belongs to one leg.
    if (seen.size() < meta.calls.size()) seen.resize(meta.calls.size());
    const bool is_new = !seen[index];
    seen[index] = true;
    return is_new;
  }

  void add(const CallRecord& r, std::optional<size_t> kept) {
    Group& group = list[group_of(r)];
    const int64_t key = group.facts.leg >= 0 ? r.index : r.run_idx;
    if (r.final && !is_first(r, group)) return;
    const bool sent = r.outcome != Outcome::kSkipped;
    if (sent) ++group.attempts;
    if (!r.final) {
      if (sent) ++group.retries[key];
      return;
    }
    ++group.n;
    if (group.facts.phase == Phase::kWarmup) {
      group.ok += r.outcome == Outcome::kOk ? 1 : 0;
      group.failed += is_failed(r) ? 1 : 0;
      return;  // Counted, in no figure.
    }
    group.taken.add(taken_up(r), ended(r));
    const int64_t concurrency = group.facts.concurrency;
    if (r.outcome == Outcome::kOk) {
      const auto retried = group.retries.find(key);
      Part& part = add_answer(r, 1 + (retried == group.retries.end() ? 0 : retried->second), group);
      part.evidence.add(meta, concurrency, r);
      if (kept) part.kept.push_back(*kept);
      return;
    }
    add_trouble(r, group);
    group.evidence.add(meta, concurrency, r);
    group.active.add(r.at.sent, r.at.done);
    if (kept) group.kept.push_back(*kept);
  }

  const RunMeta& meta;
  std::vector<Group> list;
  std::vector<bool> seen;  ///< Final records by index in the plan.
  std::map<std::tuple<std::string, std::string, Phase, int64_t>, size_t> unplanned;
};

LegBuilder::LegBuilder(const RunMeta& meta) : groups_(std::make_unique<Groups>(meta)) {}
LegBuilder::~LegBuilder() = default;

void LegBuilder::add(const CallRecord& record, std::optional<size_t> kept) {
  groups_->add(record, kept);
}

RunLegs LegBuilder::finish(std::span<const CoolingWait> waits) {
  RunLegs run;
  std::vector<LegEvidence> evidence;
  for (Group& group : groups_->list) {
    if (group.facts.phase != Phase::kWarmup) {
      group.paused_s = paused_within(group.taken, waits);
      split_by_prefix(group, run.legs, evidence);
    } else {
      run.warmup.n += group.n;
      run.warmup.ok += group.ok;
      run.warmup.failed += group.failed;
    }
    group = Group();  // Its memory goes before the next one's figures take theirs.
  }
  mark_legs(groups_->meta, std::move(evidence), run.legs);
  return run;
}

}  // namespace assay
