#include "stats/legs.h"

#include <algorithm>
#include <array>
#include <map>
#include <numeric>
#include <set>
#include <tuple>
#include <utility>

#include "stats/leg_marks.h"

namespace assay {
namespace {

/// The records of one planned leg, or of one (cell, prompt, phase, concurrency) without a plan.
struct Group {
  LegResult facts;   ///< What all parts share.
  std::string skip;  ///< The plan's reason, for skipped calls without their own.
  std::vector<const CallRecord*> finals;
  std::map<int64_t, int64_t> attempts;  ///< By call: its records.
};

bool is_failed(const CallRecord& r) {
  return r.outcome != Outcome::kOk && r.outcome != Outcome::kSkipped;
}

bool has_flag(const CallRecord& r, std::string_view flag) {
  return std::find(r.flags.begin(), r.flags.end(), flag) != r.flags.end();
}

/// What identifies a call within its group.
int64_t call_key(const Group& group, const CallRecord& r) {
  return group.facts.leg >= 0 ? r.index : r.run_idx;
}

/// Sorts records into groups; planned legs come first, in plan order.
class Grouping {
 public:
  explicit Grouping(const RunMeta& meta) : meta_(meta) {
    for (size_t i = 0; i < meta.legs.size(); ++i) groups_.push_back(planned(i));
  }

  void add(const CallRecord& r) {
    Group& group = groups_[group_of(r)];
    const auto key = call_key(group, r);
    if (r.final) {
      if (!seen_.emplace(&group - groups_.data(), key).second) return;
      group.finals.push_back(&r);
    }
    if (r.outcome != Outcome::kSkipped) ++group.attempts[key];
  }

  [[nodiscard]] const std::vector<Group>& groups() const { return groups_; }

 private:
  [[nodiscard]] const Cell* cell_at(int64_t index) const {
    if (index < 0 || index >= static_cast<int64_t>(meta_.cells.size())) return nullptr;
    return &meta_.cells[static_cast<size_t>(index)];
  }

  [[nodiscard]] Group planned(size_t index) const {
    const Leg& leg = meta_.legs[index];
    Group group;
    group.facts.leg = static_cast<int64_t>(index);
    if (const Cell* cell = cell_at(leg.cell)) {
      group.facts.cell = leg.cell;
      group.facts.cell_id = cell->id;
    }
    if (leg.prompt >= 0 && leg.prompt < static_cast<int64_t>(meta_.prompts.size())) {
      group.facts.prompt_id = meta_.prompts[static_cast<size_t>(leg.prompt)].id;
    }
    group.facts.phase = leg.phase;
    group.facts.concurrency = leg.concurrency;
    group.skip = leg.skip;
    return group;
  }

  size_t group_of(const CallRecord& r) {
    if (r.leg >= 0 && r.leg < static_cast<int64_t>(meta_.legs.size())) {
      const auto index = static_cast<size_t>(r.leg);
      const LegResult& facts = groups_[index].facts;
      const bool skipped = r.phase == Phase::kSkipped && facts.phase != Phase::kWarmup;
      if (facts.cell_id == r.cell_id && (facts.phase == r.phase || skipped)) return index;
    }
    const auto [it, is_new] = unplanned_.try_emplace(
        std::tuple(r.cell_id, r.prompt_id, r.phase, r.concurrency), groups_.size());
    if (is_new) groups_.push_back(without_plan(r));
    return it->second;
  }

  [[nodiscard]] Group without_plan(const CallRecord& r) const {
    Group group;
    for (size_t i = 0; i < meta_.cells.size(); ++i) {
      if (meta_.cells[i].id == r.cell_id) group.facts.cell = static_cast<int64_t>(i);
    }
    group.facts.cell_id = r.cell_id;
    group.facts.prompt_id = r.prompt_id;
    group.facts.phase = r.phase;
    group.facts.concurrency = r.concurrency;
    return group;
  }

  const RunMeta& meta_;
  std::vector<Group> groups_;
  std::set<std::pair<int64_t, int64_t>> seen_;
  std::map<std::tuple<std::string, std::string, Phase, int64_t>, size_t> unplanned_;
};

/// The text that occurs most often, the first in the alphabet among equals.
std::pair<std::string, int64_t> most_frequent(const std::vector<std::string>& texts) {
  std::map<std::string, int64_t> counts;
  for (const std::string& text : texts) ++counts[text];
  std::pair<std::string, int64_t> best;
  for (const auto& [text, count] : counts) {
    if (count > best.second) best = {text, count};
  }
  return best;
}

/// What a call adds to its leg's mean: the sum and number of its gaps, or its one value.
std::vector<derive::Ratio> as_parts(std::span<const double> values,
                                    std::span<const std::vector<double>> clusters) {
  std::vector<derive::Ratio> parts;
  for (const auto& gaps : clusters) {
    parts.push_back(
        {std::accumulate(gaps.begin(), gaps.end(), 0.0), static_cast<double>(gaps.size())});
  }
  if (!clusters.empty()) return parts;
  for (const double v : values) parts.push_back({v, 1});
  return parts;
}

MetricResult measure(const Metric& metric, const std::vector<const CallRecord*>& ok) {
  MetricResult result{&metric, {}, {}, {}, {}};
  std::vector<derive::Ratio> parts;
  std::vector<std::vector<double>> clusters;
  int64_t events = 0;
  int64_t coalesced = 0;
  for (const CallRecord* call : ok) {
    const auto value = metric.of_call(*call);
    if (!value) continue;
    result.values.push_back(*value);
    result.restarts.push_back(call->restart);
    result.run_idx.push_back(call->run_idx);
    if (metric.parts_of_call != nullptr) {
      if (const auto ratio = metric.parts_of_call(*call)) parts.push_back(*ratio);
    }
    if (metric.gaps_of_call != nullptr) {
      derive::Gaps gaps = metric.gaps_of_call(*call);
      events += gaps.events;
      coalesced += gaps.coalesced;
      clusters.push_back(std::move(gaps.ms));
    }
  }
  if (metric.gaps_of_call != nullptr) {
    result.summary = summarise_pooled(clusters);
    const double limit = derive::kMaxCoalescedShare * static_cast<double>(events);
    if (static_cast<double>(coalesced) > limit) {
      result.summary.p99.reset();
      result.summary.p99_ci95.reset();
    }
  } else if (metric.parts_of_call != nullptr) {
    result.summary = summarise_ratio(parts);
  } else {
    // Rates and counts are as skewed as times; among them the slow calls are the low ones.
    result.summary = summarise(result.values, Scale::kLog,
                               metric.unit == "ms" ? Outliers::kHigh : Outliers::kBothWays);
  }
  // Absent parts would shift the restarts; a metric has them for all of its values or for none.
  if (metric.parts_of_call == nullptr) parts = as_parts(result.values, clusters);
  if (parts.size() == result.restarts.size()) {
    result.summary = by_restart(std::move(result.summary), parts, result.restarts);
  }
  return result;
}

std::optional<int64_t> taken_up(const CallRecord& r) {
  if (r.at.due) return r.at.due;
  return r.at.start ? r.at.start : r.at.sent;
}

/// When a call was over, answered or given up.
std::optional<int64_t> ended(const CallRecord& r) { return r.at.done ? r.at.done : r.at.ended; }

/// aggregate_tps and requests_per_sec of a whole planned leg.
void add_throughput(const Group& group, LegResult& leg) {
  std::optional<int64_t> first;
  std::optional<int64_t> last;
  int64_t ok = 0;
  std::optional<int64_t> tokens = 0;
  for (const CallRecord* call : group.finals) {
    if (const auto at = taken_up(*call)) first = std::min(first.value_or(*at), *at);
    if (const auto at = ended(*call)) last = std::max(last.value_or(*at), *at);
    if (call->outcome != Outcome::kOk) continue;
    ++ok;
    if (tokens && call->completion_tokens) {
      *tokens += *call->completion_tokens;
    } else {
      tokens.reset();
    }
  }
  if (ok == 0 || !first || !last || *last <= *first) return;
  const double span_s = static_cast<double>(*last - *first) / 1e9;
  leg.requests_per_sec = static_cast<double>(ok) / span_s;
  if (tokens) leg.aggregate_tps = static_cast<double>(*tokens) / span_s;
}

void add_figures(std::vector<const CallRecord*> ok, LegResult& leg) {
  std::stable_sort(ok.begin(), ok.end(), [](const CallRecord* a, const CallRecord* b) {
    return a->at.sent.value_or(INT64_MAX) < b->at.sent.value_or(INT64_MAX);
  });
  std::vector<double> lengths;
  for (const CallRecord* call : ok) {
    if (has_flag(*call, "empty")) ++leg.empty;
    if (has_flag(*call, "length")) ++leg.length;
    if (call->prompt_tokens) lengths.push_back(static_cast<double>(*call->prompt_tokens));
  }
  leg.prompt_tokens = median(lengths);
  for (const Metric& metric : metrics()) {
    MetricResult result = measure(metric, ok);
    if (result.summary.n > 0) leg.metrics.push_back(std::move(result));
  }
  const MetricResult* e2e = leg.find("e2e_ms");
  if (leg.phase != Phase::kCold && e2e != nullptr && e2e->summary.n >= kMinForCourse) {
    leg.course = judge_course(e2e->values);
  }
}

std::vector<double> values_of(const LegResult& leg, std::string_view metric) {
  const MetricResult* found = leg.find(metric);
  return found != nullptr ? found->values : std::vector<double>();
}

/// The leg's answered calls and the group's failed ones.
AllCalls all_calls_of(const Group& group, const LegResult& leg) {
  std::vector<double> ttft = values_of(leg, "ttft_ms");
  std::vector<double> ttft_limits;
  std::vector<double> e2e_limits;
  for (const CallRecord* call : group.finals) {
    if (!is_failed(*call)) continue;
    const double waited = derive::waited_ms(*call);
    e2e_limits.push_back(waited);
    if (const auto first = derive::ttft_ms(*call)) {
      ttft.push_back(*first);
    } else {
      ttft_limits.push_back(waited);
    }
  }
  // Where no answer tells the latency, that of the failed ones alone says nothing.
  const auto over_all = [&](std::string_view metric, const std::vector<double>& answered,
                            const std::vector<double>& limits) {
    const bool unknown = leg.ok > 0 && leg.find(metric) == nullptr;
    return unknown ? CensoredPercentiles() : censored_percentiles(answered, limits);
  };
  return {over_all("ttft_ms", ttft, ttft_limits),
          over_all("e2e_ms", values_of(leg, "e2e_ms"), e2e_limits)};
}

/// What belongs to the group as a whole goes to its largest part. `first` is the ledger's first
/// record.
void add_rest(const Group& group, const CallRecord* first, LegResult& leg) {
  std::vector<std::string> reasons;
  std::vector<std::string> errors;
  for (const CallRecord* call : group.finals) {
    if (call->outcome != Outcome::kOk) leg.calls.push_back(static_cast<size_t>(call - first));
    if (call->outcome == Outcome::kSkipped) {
      // The ledger says `skipped: reason`, as source 004 wants it.
      constexpr std::string_view kMark = "skipped: ";
      std::string reason = call->error.value_or(group.skip);
      if (reason.rfind(kMark, 0) == 0) reason.erase(0, kMark.size());
      reasons.push_back(std::move(reason));
    } else if (is_failed(*call)) {
      errors.push_back(call->error.value_or(std::string(to_text(call->outcome))));
    }
  }
  leg.skipped = static_cast<int64_t>(reasons.size());
  leg.failed = static_cast<int64_t>(errors.size());
  leg.skipped_reason = reasons.empty() ? group.skip : most_frequent(reasons).first;
  std::tie(leg.failure, leg.failure_calls) = most_frequent(errors);
  if (leg.failed > 0) leg.all_calls = all_calls_of(group, leg);
  add_throughput(group, leg);
}

std::vector<LegResult> split_by_prefix(const Group& group, const CallRecord* first) {
  constexpr std::array kOrder{Prefix::kFresh, Prefix::kReused, Prefix::kUnknown};
  std::map<Prefix, std::vector<const CallRecord*>> ok;
  int64_t attempts_of_ok = 0;
  int64_t attempts = 0;
  for (const auto& [key, count] : group.attempts) attempts += count;
  for (const CallRecord* call : group.finals) {
    if (call->outcome == Outcome::kOk) ok[call->prefix].push_back(call);
  }
  if (ok.empty()) ok[Prefix::kUnknown] = {};
  std::vector<LegResult> parts;
  for (const Prefix prefix : kOrder) {
    const auto calls = ok.find(prefix);
    if (calls == ok.end()) continue;
    LegResult leg = group.facts;
    leg.prefix = prefix;
    leg.ok = static_cast<int64_t>(calls->second.size());
    for (const CallRecord* call : calls->second) {
      leg.attempts += group.attempts.at(call_key(group, *call));
      leg.estimated_tokens |= call->token_source == TokenSource::kEstimate;
      leg.calls.push_back(static_cast<size_t>(call - first));
    }
    attempts_of_ok += leg.attempts;
    add_figures(calls->second, leg);
    parts.push_back(std::move(leg));
  }
  auto largest = std::max_element(parts.begin(), parts.end(),
                                  [](const auto& a, const auto& b) { return a.ok < b.ok; });
  add_rest(group, first, *largest);
  std::sort(largest->calls.begin(), largest->calls.end());
  largest->attempts += attempts - attempts_of_ok;
  for (LegResult& leg : parts) {
    leg.n = leg.ok + leg.failed + leg.skipped;
    leg.split = parts.size() > 1;
  }
  return parts;
}

}  // namespace

const MetricResult* LegResult::find(std::string_view metric) const {
  for (const MetricResult& result : metrics) {
    if (result.metric->name == metric) return &result;
  }
  return nullptr;
}

RunLegs group_legs(const LedgerContent& ledger) {
  Grouping grouping(ledger.meta);
  for (const CallRecord& record : ledger.calls) grouping.add(record);
  RunLegs run;
  for (const Group& group : grouping.groups()) {
    if (group.facts.phase != Phase::kWarmup) {
      for (LegResult& leg : split_by_prefix(group, ledger.calls.data())) {
        run.legs.push_back(std::move(leg));
      }
      continue;
    }
    for (const CallRecord* call : group.finals) {
      ++run.warmup.n;
      if (call->outcome == Outcome::kOk) ++run.warmup.ok;
      if (is_failed(*call)) ++run.warmup.failed;
    }
  }
  mark_legs(ledger.meta, ledger.calls, run.legs);
  return run;
}

PrefillFit fit_prefill(std::span<const LegResult> legs, std::string_view cell_id,
                       PrefillTime time) {
  const std::string_view metric = time == PrefillTime::kClient ? "ttft_ms" : "prefill_ms";
  std::vector<const LegResult*> usable;
  int64_t concurrency = INT64_MAX;
  for (const LegResult& leg : legs) {
    const bool steady = leg.phase == Phase::kWarm || leg.phase == Phase::kMeasure;
    if (leg.cell_id != cell_id || leg.prefix != Prefix::kFresh || !steady) continue;
    if (!leg.prompt_tokens || leg.find(metric) == nullptr) continue;
    usable.push_back(&leg);
    concurrency = std::min(concurrency, leg.concurrency);
  }
  std::vector<Point> points;
  std::set<double> lengths;
  for (const LegResult* leg : usable) {
    if (leg->concurrency != concurrency) continue;
    points.push_back({*leg->prompt_tokens, *leg->find(metric)->summary.p50});
    lengths.insert(*leg->prompt_tokens);
  }
  PrefillFit fit;
  fit.lengths = static_cast<int64_t>(lengths.size());
  if (fit.lengths < kMinPrefillLengths) return fit;
  const auto line = fit_line(points);
  // Below it the slope is noise, and its reciprocal any number.
  if (!line || line->slope * (*lengths.rbegin() - *lengths.begin()) < kLeastGrowthMs) return fit;
  fit.tps = 1e3 / line->slope;
  if (line->intercept >= 0) fit.floor_ms = line->intercept;
  return fit;
}

}  // namespace assay
