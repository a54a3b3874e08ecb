#include "stats/checks.h"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <cstdlib>
#include <map>
#include <set>
#include <tuple>

#include "stats/leg_marks.h"

namespace assay {
namespace {

using Calls = std::vector<const CallRecord*>;
using Value = std::optional<double>;

constexpr double kMaxLagMs = 2;
constexpr double kMaxDifference = 0.05;
constexpr double kMaxForeignShare = 0.02;
constexpr auto kStampErrorNs = static_cast<int64_t>(derive::kKernelStampErrorUs * 1e3);
constexpr int64_t kTokenTolerance = 1;  // Engines differ in counting the end-of-text token.

bool is_measured(Phase phase) { return phase != Phase::kWarmup && phase != Phase::kSkipped; }

bool has_flag(const CallRecord& r, std::string_view flag) {
  return std::find(r.flags.begin(), r.flags.end(), flag) != r.flags.end();
}

Calls measured_calls(const LedgerContent& ledger) {
  Calls calls;
  for (const CallRecord& r : ledger.calls) {
    if (r.final && is_measured(r.phase) && r.outcome != Outcome::kSkipped) calls.push_back(&r);
  }
  return calls;
}

Calls ok_calls(const LedgerContent& ledger) {
  Calls calls = measured_calls(ledger);
  std::erase_if(calls, [](const CallRecord* r) { return r->outcome != Outcome::kOk; });
  return calls;
}

template <class Test>
int64_t count(const Calls& calls, Test&& test) {
  return std::count_if(calls.begin(), calls.end(), [&](const CallRecord* r) { return test(*r); });
}

StampSource stamps_of(const Calls& calls) {
  std::set<StampSource> sources;
  for (const CallRecord* r : calls) {
    if (r->stamps != StampSource::kNone) sources.insert(r->stamps);
  }
  if (sources.empty()) return StampSource::kNone;
  return sources.size() == 1 ? *sources.begin() : StampSource::kMixed;
}

Value client_lag_ms(const Calls& calls) {
  std::vector<double> lags;
  for (const CallRecord* r : calls) {
    if (r->client_lag_p99_us) lags.push_back(static_cast<double>(*r->client_lag_p99_us) / 1e3);
  }
  std::sort(lags.begin(), lags.end());
  return percentile(lags, 0.99);
}

Value coalesced_share(const Calls& calls) {
  int64_t events = 0;
  int64_t coalesced = 0;
  for (const CallRecord* r : calls) {
    events += r->text_events;
    coalesced += r->client_coalesced;
  }
  if (events == 0) return std::nullopt;
  return static_cast<double>(coalesced) / static_cast<double>(events);
}

/// Whether the known ones among these instants ascend, within the stamp error.
bool ascends(std::initializer_list<Instants::At> instants) {
  std::optional<int64_t> latest;
  for (const auto& at : instants) {
    if (!at) continue;
    if (latest && *at + kStampErrorNs < *latest) return false;
    latest = std::max(latest.value_or(*at), *at);
  }
  return true;
}

bool runs_backwards(const CallRecord& r) {
  const Instants& at = r.at;
  return !ascends({at.due, at.start, at.connected, at.sent, at.first_byte, at.first_event,
                   at.first_text, at.last_text, at.done}) ||
         !ascends({at.sent, at.sent_end}) || !ascends({at.first_event, at.first_role}) ||
         !ascends({at.sent, at.load_start, at.load_end, at.done}) ||
         !ascends({at.sent, at.prefill_start, at.prefill_end, at.done}) ||
         !ascends({at.first_text, at.first_reasoning, at.last_text}) ||
         !ascends({at.first_text, at.first_visible, at.last_text}) ||
         !ascends({at.first_text, at.first_tool, at.last_text}) ||
         !ascends({at.first_text, at.first_tool_args, at.last_text});
}

bool beats_rtt(const CallRecord& r) {
  const Value ttft = derive::ttft_ms(r);
  return ttft && r.min_rtt_us && *ttft * 1e3 < static_cast<double>(*r.min_rtt_us);
}

bool counts_differ(const CallRecord& r) {
  return r.usage_output_tokens && r.engine.output_tokens &&
         std::llabs(*r.usage_output_tokens - *r.engine.output_tokens) > kTokenTolerance;
}

/// client / engine - 1 of the decode speed, for each ok call where both are known.
std::vector<double> engine_differences(const Calls& calls) {
  std::vector<double> differences;
  for (const CallRecord* r : calls) {
    if (r->outcome != Outcome::kOk) continue;
    if (r->engine.output_tokens.value_or(0) < kMinAgreementTokens) continue;
    const Value client = derive::decode_tps(*r);
    const Value engine = derive::engine_decode_tps(*r);
    if (client && engine) differences.push_back(*client / *engine - 1);
  }
  return differences;
}

Check limited(std::string_view name, Value value, double limit) {
  return {name, !value || *value <= limit, value, limit, true};
}

Check informative(std::string_view name, Value value, double limit) {
  return {name, true, value, limit, false};
}

Check none_of(std::string_view name, int64_t violations) {
  return limited(name, static_cast<double>(violations), 0);
}

/// Seconds that the sent calls took, attempts included.
double recorded_in_flight_s(const LedgerContent& ledger) {
  double ns = 0;
  for (const CallRecord& r : ledger.calls) {
    const auto end = r.at.done ? r.at.done : r.at.ended;
    if (r.at.start && end) ns += static_cast<double>(*end - *r.at.start);
  }
  return ns / 1e9;
}

Value little_difference(const LedgerContent& ledger) {
  constexpr double kLeastSeconds = 1;
  if (!ledger.end || ledger.resumes > 0 || !ledger.end->in_flight_s) return std::nullopt;
  const double counted = *ledger.end->in_flight_s;
  if (counted < kLeastSeconds) return std::nullopt;
  return std::fabs(recorded_in_flight_s(ledger) / counted - 1);
}

/// The largest excess of a server's own count over ours.
Value foreign_share(const LedgerContent& ledger) {
  constexpr int64_t kLeastTokens = 100;
  if (!ledger.end || ledger.resumes > 0) return std::nullopt;
  Value worst;
  for (const ServerCounters& server : ledger.end->server_counters) {
    if (!server.output_tokens) continue;
    std::set<std::string_view> cells;
    for (const Cell& cell : ledger.meta.cells) {
      if (cell.url == server.url) cells.insert(cell.id);
    }
    for (const Cell& cell : ledger.meta.cells) {
      if (cells.contains(cell.routed_from)) cells.insert(cell.id);  // Ends at the same engine.
    }
    int64_t ours = 0;
    bool whole = true;
    for (const CallRecord& r : ledger.calls) {
      if (!cells.contains(r.cell_id) || r.outcome == Outcome::kSkipped) continue;
      whole &= r.outcome == Outcome::kOk && r.completion_tokens.has_value();
      ours += r.completion_tokens.value_or(0);
    }
    if (!whole || ours < kLeastTokens) continue;
    const double share = static_cast<double>(*server.output_tokens) / static_cast<double>(ours) - 1;
    worst = std::max(worst.value_or(share), share);
  }
  return worst ? Value(std::max(*worst, 0.0)) : worst;
}

/// The open-loop leg with most calls, and the rate that it was to have.
struct OpenLoop {
  std::optional<ArrivalAudit> audit;
  double asked = 0;
};
OpenLoop open_loop(const LedgerContent& ledger) {
  OpenLoop found;
  for (size_t i = 0; i < ledger.meta.legs.size(); ++i) {
    const Leg& leg = ledger.meta.legs[i];
    if (!leg.request_rate) continue;
    Calls calls;
    for (const CallRecord& r : ledger.calls) {
      if (r.leg == static_cast<int64_t>(i) && r.attempt == 1) calls.push_back(&r);
    }
    auto audit = audit_arrivals(calls);
    if (!audit || (found.audit && audit->calls <= found.audit->calls)) continue;
    found = {audit, *leg.request_rate};
  }
  return found;
}

bool failed(const Measurement& m, std::string_view check) {
  return std::any_of(m.checks.begin(), m.checks.end(),
                     [&](const Check& c) { return c.name == check && !c.ok; });
}

/// The ok, failed calls of planned legs, their parts put together again.
struct LegCount {
  int64_t ok = 0;
  int64_t failed = 0;
  int64_t refused = 0;  ///< Not asked, because the server refused the key.
};
using LegCounts = std::map<std::tuple<int64_t, std::string, std::string, Phase, int64_t>, LegCount>;

LegCounts count_legs(std::span<const LegResult> legs) {
  LegCounts counts;
  for (const LegResult& leg : legs) {
    auto& c = counts[{leg.leg, leg.cell_id, leg.prompt_id, leg.phase, leg.concurrency}];
    c.ok += leg.ok;
    c.failed += leg.failed;
    if (leg.skipped_reason.rfind("http ", 0) == 0) c.refused += leg.skipped;
  }
  return counts;
}

class Caveats {
 public:
  void add_if(bool holds, std::string_view code, std::string detail) {
    if (holds) found_.push_back({code, std::move(detail)});
  }
  /// A caveat about `n` calls, when there are any.
  void add_calls(int64_t n, std::string_view code, std::string_view what) {
    add_if(n > 0, code, fmt::format("{} {} {}", n, n == 1 ? "call" : "calls", what));
  }
  std::vector<Caveat> take() { return std::move(found_); }

 private:
  std::vector<Caveat> found_;
};

void add_checks(const Measurement& m, Caveats& caveats) {
  const auto found = [&](std::string_view check) {
    const auto it = std::find_if(m.checks.begin(), m.checks.end(),
                                 [&](const Check& c) { return c.name == check; });
    return it == m.checks.end() ? 0.0 : it->value.value_or(0);
  };
  caveats.add_if(failed(m, "client_lag"), "client_lag",
                 fmt::format("reads came {:.2f} ms late at p99", found("client_lag")));
  caveats.add_if(failed(m, "loop_lag"), "loop_lag",
                 fmt::format("the load loop ran {:.2f} ms late at p99", found("loop_lag")));
  caveats.add_if(
      failed(m, "coalesced_share"), "coalesced",
      fmt::format("{:.1f} % of events shared a late read", 100 * found("coalesced_share")));
  caveats.add_calls(static_cast<int64_t>(found("clock_jump")), "clock_jump",
                    "saw the wall clock jump");
  caveats.add_calls(static_cast<int64_t>(found("monotone_instants") + found("ttft_above_rtt")),
                    "impossible_instants", "with instants that cannot be");
  caveats.add_if(failed(m, "engine_decode_agreement"), "engine_disagrees",
                 fmt::format("decode speed is {:+.1f} % off the engine's own",
                             100 * m.engine_difference.value_or(0)));
  caveats.add_calls(static_cast<int64_t>(found("token_count_agreement")), "token_counts_disagree",
                    "with unlike token counts in usage and engine figures");
  caveats.add_if(failed(m, "littles_law"), "in_flight_differs",
                 fmt::format("times in flight are {:.1f} % off what the load loop counted",
                             100 * found("littles_law")));
  caveats.add_if(failed(m, "server_tokens"), "server_shared",
                 fmt::format("the server generated {:.1f} % more tokens than were received: "
                             "somebody else used it",
                             100 * found("server_tokens")));
  caveats.add_if(failed(m, "arrivals_late"), "arrivals_late",
                 fmt::format("calls were sent {:.1f} ms late at p99", found("arrivals_late")));
  caveats.add_if(
      failed(m, "arrivals_rate"), "arrivals_rate",
      fmt::format("the call rate was {:.1f} % off what was asked", 100 * found("arrivals_rate")));
}

/// Legs that carry a mark, the first one's detail for all.
void add_marks(std::span<const LegResult> legs, Caveats& caveats) {
  for (const std::string_view code : {"void", "invalid", "order_effect", "client_limited"}) {
    int64_t marked = 0;
    std::string detail;
    for (const LegResult& leg : legs) {
      const LegMark* mark = find_mark(leg, code);
      if (mark == nullptr) continue;
      if (marked++ == 0) detail = fmt::format("{}: {}", leg.prompt_id, mark->detail);
    }
    if (marked > 1) detail += fmt::format(", and {} more", marked - 1);
    caveats.add_if(marked > 0, code, std::move(detail));
  }
}

int64_t short_contexts(const RunMeta& meta) {
  std::set<int64_t> cells;
  for (const Leg& leg : meta.legs) {
    if (leg.cell < 0 || leg.cell >= static_cast<int64_t>(meta.cells.size())) continue;
    const Cell& cell = meta.cells[static_cast<size_t>(leg.cell)];
    const auto& asked = leg.settings.context_length;
    if (leg.skip.empty() && asked && cell.context_length && *cell.context_length < *asked) {
      cells.insert(leg.cell);
    }
  }
  return static_cast<int64_t>(cells.size());
}

void add_interrupted(const LedgerContent& ledger, Caveats& caveats) {
  const auto planned = static_cast<int64_t>(ledger.meta.calls.size());
  std::set<int64_t> recorded;
  for (const CallRecord& r : ledger.calls) {
    if (r.final && r.index >= 0 && r.index < planned) recorded.insert(r.index);
  }
  const int64_t missing = planned - static_cast<int64_t>(recorded.size());
  const std::string state = ledger.end ? ledger.end->state : "interrupted";
  if (planned > 0 && missing > 0) {
    caveats.add_if(true, "interrupted",
                   fmt::format("{} of {} planned calls have no record", missing, planned));
  } else {
    caveats.add_if(state != "completed", "interrupted", "the run did not complete");
  }
}

/// Legs whose latency moved while they were measured: their mean stands for no moment.
void add_courses(std::span<const LegResult> legs, Caveats& caveats) {
  for (const Course course : {Course::kDrifting, Course::kSaturated}) {
    int64_t found = 0;
    double most = 0;
    for (const LegResult& leg : legs) {
      if (!leg.course || leg.course->course != course) continue;
      ++found;
      const double change = leg.course->first_to_last.value_or(0);
      if (std::fabs(change) > std::fabs(most)) most = change;
    }
    caveats.add_if(
        found > 0, to_text(course),
        fmt::format("E2E latency of {} {} moved by {}{:+.1f} % from the first to the "
                    "last tenth of the calls",
                    found, found == 1 ? "leg" : "legs", found == 1 ? "" : "up to ", 100 * most));
  }
}

void add_counts(const LedgerContent& ledger, std::span<const LegResult> legs, Caveats& caveats) {
  int64_t few = 0;
  int64_t failing = 0;
  int64_t failed_calls = 0;
  int64_t refused = 0;
  for (const auto& [key, leg] : count_legs(legs)) {
    const Phase phase = std::get<Phase>(key);
    if ((phase == Phase::kWarm || phase == Phase::kMeasure) && leg.ok > 0 && leg.ok < kFewCalls) {
      ++few;
    }
    if (leg.ok == 0 && leg.failed == 0 && leg.refused > 0) ++refused;
    const auto all = static_cast<double>(leg.ok + leg.failed);
    if (leg.failed > 0 && static_cast<double>(leg.ok) / all < kMinSuccessRate) {
      ++failing;
      failed_calls += leg.failed;
    }
  }
  caveats.add_if(few > 0, "few_calls",
                 fmt::format("{} {} fewer than {} ok calls", few,
                             few == 1 ? "leg has" : "legs have", kFewCalls));
  add_courses(legs, caveats);
  add_interrupted(ledger, caveats);
  caveats.add_if(
      failing > 0, "failed_calls",
      fmt::format("{} {} failed in {} {}", failed_calls, failed_calls == 1 ? "call" : "calls",
                  failing, failing == 1 ? "leg" : "legs"));
  caveats.add_if(refused > 0, "refused",
                 fmt::format("the server refused the key: {} {} not asked", refused,
                             refused == 1 ? "leg was" : "legs were"));
  caveats.add_if(ledger.torn_lines > 0 || ledger.duplicates > 0, "torn_ledger",
                 fmt::format("{} cut and {} double ledger lines were left out", ledger.torn_lines,
                             ledger.duplicates));
}

void add_preflight(const RunMeta& meta, Caveats& caveats) {
  std::vector<std::string> missing;
  for (const PreflightCheck& check : meta.preflight) {
    if (!check.ok && check.decides && check.identity) {
      missing.push_back(fmt::format("{}: {}", check.name, check.detail));
    }
  }
  caveats.add_if(!missing.empty(), "incomplete_metadata",
                 fmt::format("{}", fmt::join(missing, "; ")));
  for (const PreflightCheck& check : meta.preflight) {
    caveats.add_if(!check.ok && check.decides && !check.identity, "preflight",
                   fmt::format("{}: {}", check.name, check.detail));
  }
}

}  // namespace

Measurement check_measurement(const LedgerContent& ledger) {
  const Calls calls = measured_calls(ledger);
  Measurement m;
  m.stamps = stamps_of(calls);
  m.client_lag_ms_p99 = client_lag_ms(calls);
  if (ledger.end) m.loop_lag_ms_p99 = ledger.end->loop_lag_p99_ms;
  m.coalesced_share = coalesced_share(calls);
  std::vector<double> sizes = engine_differences(calls);
  m.engine_difference = median(sizes);
  for (double& d : sizes) d = std::fabs(d);

  const bool kernel = m.stamps == StampSource::kKernel;
  const auto lag_check = kernel ? informative : limited;
  const auto loop_check = m.stamps == StampSource::kRead ? limited : informative;
  m.checks = {lag_check("client_lag", m.client_lag_ms_p99, kMaxLagMs),
              loop_check("loop_lag", m.loop_lag_ms_p99, kMaxLagMs),
              limited("coalesced_share", m.coalesced_share, derive::kMaxCoalescedShare),
              none_of("monotone_instants", count(calls, runs_backwards)),
              none_of("ttft_above_rtt", count(calls, beats_rtt)),
              limited("engine_decode_agreement", median(sizes), kMaxDifference),
              none_of("token_count_agreement", count(calls, counts_differ)),
              none_of("clock_jump",
                      count(calls, [](const CallRecord& r) { return has_flag(r, "clock_jump"); }))};
  const auto& calibration = ledger.meta.instrument.calibration;
  if (calibration)
    m.checks.push_back(informative("calibration", calibration->bias_p99_ms, kMaxLagMs));
  m.checks.push_back(limited("littles_law", little_difference(ledger), kMaxDifference));
  m.checks.push_back(limited("server_tokens", foreign_share(ledger), kMaxForeignShare));
  const OpenLoop open = open_loop(ledger);
  m.arrivals = open.audit;
  if (open.audit) {
    // The rate of random gaps is itself random: its standard error is 1 / sqrt(n) at most.
    const double chance =
        3 * open.audit->variation / std::sqrt(static_cast<double>(open.audit->calls));
    m.checks.push_back(limited("arrivals_late", open.audit->late_p99_ms, kLateMs));
    m.checks.push_back(limited("arrivals_rate", std::fabs(open.audit->rate / open.asked - 1),
                               std::max(kMaxDifference, chance)));
  }
  m.ok = std::all_of(m.checks.begin(), m.checks.end(), [](const Check& c) { return c.ok; });
  return m;
}

std::vector<Caveat> find_caveats(const LedgerContent& ledger, const Measurement& measurement,
                                 std::span<const LegResult> legs) {
  const Calls calls = measured_calls(ledger);
  const Calls ok = ok_calls(ledger);
  const auto flagged = [](const Calls& among, std::string_view flag) {
    return count(among, [&](const CallRecord& r) { return has_flag(r, flag); });
  };
  Caveats caveats;
  if (const auto& imported = ledger.meta.imported) {
    caveats.add_if(
        true, "imported",
        fmt::format("measured by {}, its figures follow its definitions", imported->tool));
  }
  add_checks(measurement, caveats);
  add_marks(legs, caveats);
  caveats.add_calls(flagged(ok, "estimated_tokens"), "estimated_tokens", "with estimated tokens");
  caveats.add_calls(count(ok, [](const CallRecord& r) { return !r.completion_tokens; }),
                    "no_token_count", "without a token count");
  caveats.add_calls(flagged(calls, "prompt_truncated"), "prompt_truncated",
                    "of which the engine cut the prompt");
  const int64_t cells = short_contexts(ledger.meta);
  if (cells > 0) {
    caveats.add_if(true, "context_short",
                   fmt::format("{} {} less context than was asked for", cells,
                               cells == 1 ? "cell has" : "cells have"));
  } else {
    caveats.add_calls(flagged(calls, "context_short"), "context_short",
                      "with less context than was asked for");
  }
  add_counts(ledger, legs, caveats);
  add_preflight(ledger.meta, caveats);
  return caveats.take();
}

}  // namespace assay
