#include "stats/checks.h"

#include <algorithm>
#include <cmath>
#include <cstdlib>
#include <functional>
#include <map>
#include <set>
#include <string>
#include <utility>

#include "stats/derive.h"
#include "stats/percentiles.h"
#include "stats/prefix_guard.h"

namespace assay {
namespace {

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
         !ascends(
             {at.unload_start, at.unload_end, at.pause_end, at.load_start, at.load_end, at.done}) ||
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

/// client / engine - 1 of the decode speed of an ok call, where both are known.
Value engine_difference(const CallRecord& r) {
  if (r.engine.output_tokens.value_or(0) < kMinAgreementTokens) return std::nullopt;
  const Value client = derive::decode_tps(r);
  const Value engine = derive::engine_decode_tps(r);
  if (!client || !engine) return std::nullopt;
  return *client / *engine - 1;
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

/// What the sent calls of one cell gave us.
struct Received {
  int64_t tokens = 0;
  bool whole = true;  ///< Every call was answered, and counted.
};

/// The open-loop leg with most calls, and the rate that it was to have.
struct OpenLoop {
  std::optional<ArrivalAudit> audit;
  double asked = 0;
};

}  // namespace

struct RunChecks::Found {
  explicit Found(const RunMeta& run) : meta(run), recorded(run.calls.size()) {
    for (size_t i = 0; i < meta.legs.size(); ++i) {
      if (meta.legs[i].request_rate) arrivals[static_cast<int64_t>(i)];
    }
  }

  void add_any(const CallRecord& r) {
    const auto end = r.at.done ? r.at.done : r.at.ended;
    if (r.at.start && end) in_flight_ns += static_cast<double>(*end - *r.at.start);
    if (r.outcome != Outcome::kSkipped) {
      Received& cell = received[r.cell_id];
      cell.whole &= r.outcome == Outcome::kOk && r.completion_tokens.has_value();
      cell.tokens += r.completion_tokens.value_or(0);
    }
    if (arrivals.empty() || r.attempt != 1) return;
    if (const auto log = arrivals.find(r.leg); log != arrivals.end()) log->second.add(r);
  }

  void add_planned(const CallRecord& r) {
    if (r.index < 0 || static_cast<size_t>(r.index) >= recorded.size()) return;
    const auto index = static_cast<size_t>(r.index);
    counts.planned += recorded[index] ? 0 : 1;
    recorded[index] = true;
  }

  void add_measured(const CallRecord& r) {
    if (r.stamps != StampSource::kNone) stamps.insert(r.stamps);
    if (r.client_lag_p99_us) lags_ms.push_back(static_cast<double>(*r.client_lag_p99_us) / 1e3);
    events += r.text_events;
    coalesced += r.client_coalesced;
    backwards += runs_backwards(r) ? 1 : 0;
    above_rtt += beats_rtt(r) ? 1 : 0;
    unlike_counts += counts_differ(r) ? 1 : 0;
    clock_jumps += has_flag(r, "clock_jump") ? 1 : 0;
    counts.prompt_truncated += has_flag(r, "prompt_truncated") ? 1 : 0;
    counts.context_short += has_flag(r, "context_short") ? 1 : 0;
    if (r.outcome != Outcome::kOk) return;
    if (const Value difference = engine_difference(r)) differences.push_back(*difference);
    counts.estimated_tokens += has_flag(r, "estimated_tokens") ? 1 : 0;
    counts.no_token_count += r.completion_tokens ? 0 : 1;
  }

  [[nodiscard]] StampSource stamp_source() const {
    if (stamps.empty()) return StampSource::kNone;
    return stamps.size() == 1 ? *stamps.begin() : StampSource::kMixed;
  }

  [[nodiscard]] Value little_difference(const LedgerContent& ledger) const {
    constexpr double kLeastSeconds = 1;
    if (!ledger.end || ledger.resumes > 0 || !ledger.end->in_flight_s) return std::nullopt;
    const double counted = *ledger.end->in_flight_s;
    if (counted < kLeastSeconds) return std::nullopt;
    return std::fabs(in_flight_ns / 1e9 / counted - 1);
  }

  /// All that came from what counted, by a router, too.
  [[nodiscard]] Received received_from(const ServerCounters& server) const {
    std::set<std::string_view> cells;
    for (const Cell& cell : meta.cells) {
      const bool counted = server.model.empty() || cell.model == server.model;
      if (cell.url == server.url && counted) cells.insert(cell.id);
    }
    for (const Cell& cell : meta.cells) {
      if (cells.contains(cell.routed_from)) cells.insert(cell.id);  // Ends at the same engine.
    }
    Received all;
    for (const std::string_view id : cells) {
      const auto cell = received.find(id);
      if (cell == received.end()) continue;
      all.whole &= cell->second.whole;
      all.tokens += cell->second.tokens;
    }
    return all;
  }

  /// The largest excess of a server's own count over ours.
  [[nodiscard]] Value foreign_share(const LedgerContent& ledger) const {
    constexpr int64_t kLeastTokens = 100;
    if (!ledger.end || ledger.resumes > 0) return std::nullopt;
    Value worst;
    for (const ServerCounters& server : ledger.end->server_counters) {
      if (!server.output_tokens) continue;
      const Received ours = received_from(server);
      if (!ours.whole || ours.tokens < kLeastTokens) continue;
      const double share =
          static_cast<double>(*server.output_tokens) / static_cast<double>(ours.tokens) - 1;
      worst = std::max(worst.value_or(share), share);
    }
    return worst ? Value(std::max(*worst, 0.0)) : worst;
  }

  [[nodiscard]] OpenLoop open_loop() const {
    OpenLoop found;
    for (const auto& [leg, log] : arrivals) {
      auto audit = log.audit();
      if (!audit || (found.audit && audit->calls <= found.audit->calls)) continue;
      found = {audit, *meta.legs[static_cast<size_t>(leg)].request_rate};
    }
    return found;
  }

  const RunMeta& meta;
  std::vector<bool> recorded;  ///< By index in the plan.
  RecordCounts counts;
  // Of all records.
  double in_flight_ns = 0;                                ///< Of those that were sent.
  std::map<std::string, Received, std::less<>> received;  ///< By cell.
  std::map<int64_t, ArrivalLog> arrivals;                 ///< By open-loop leg: first attempts.
  // Of measured final records.
  std::set<StampSource> stamps;
  std::vector<double> lags_ms;
  std::vector<double> differences;  ///< engine_difference() of the ok ones.
  int64_t events = 0;
  int64_t coalesced = 0;
  int64_t backwards = 0;
  int64_t above_rtt = 0;
  int64_t unlike_counts = 0;
  int64_t clock_jumps = 0;
};

RunChecks::RunChecks(const RunMeta& meta) : found_(std::make_unique<Found>(meta)) {}
RunChecks::~RunChecks() = default;

const RecordCounts& RunChecks::counts() const { return found_->counts; }

void RunChecks::add(const CallRecord& r) {
  found_->add_any(r);
  if (!r.final) return;
  found_->add_planned(r);
  if (is_measured(r.phase) && r.outcome != Outcome::kSkipped) found_->add_measured(r);
}

Measurement RunChecks::measurement(const LedgerContent& ledger) const {
  const Found& f = *found_;
  Measurement m;
  m.stamps = f.stamp_source();
  std::vector<double> lags = f.lags_ms;
  std::sort(lags.begin(), lags.end());
  m.client_lag_ms_p99 = percentile(lags, 0.99);
  if (ledger.end) m.loop_lag_ms_p99 = ledger.end->loop_lag_p99_ms;
  if (f.events > 0) {
    m.coalesced_share = static_cast<double>(f.coalesced) / static_cast<double>(f.events);
  }
  std::vector<double> sizes = f.differences;
  m.engine_difference = median(sizes);
  for (double& d : sizes) d = std::fabs(d);

  const bool kernel = m.stamps == StampSource::kKernel;
  const auto lag_check = kernel ? informative : limited;
  const auto loop_check = m.stamps == StampSource::kRead ? limited : informative;
  m.checks = {lag_check("client_lag", m.client_lag_ms_p99, kMaxLagMs),
              loop_check("loop_lag", m.loop_lag_ms_p99, kMaxLagMs),
              limited("coalesced_share", m.coalesced_share, derive::kMaxCoalescedShare),
              none_of("monotone_instants", f.backwards),
              none_of("ttft_above_rtt", f.above_rtt),
              limited("engine_decode_agreement", median(sizes), kMaxDifference),
              none_of("token_count_agreement", f.unlike_counts),
              none_of("clock_jump", f.clock_jumps)};
  const auto& calibration = ledger.meta.instrument.calibration;
  if (calibration)
    m.checks.push_back(informative("calibration", calibration->bias_p99_ms, kMaxLagMs));
  m.checks.push_back(limited("littles_law", f.little_difference(ledger), kMaxDifference));
  m.checks.push_back(limited("server_tokens", f.foreign_share(ledger), kMaxForeignShare));
  m.checks.push_back(limited("prefix_cache", salted_hit_share(ledger), kTemplateShare));
  const OpenLoop open = f.open_loop();
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

}  // namespace assay
