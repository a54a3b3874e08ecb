#include "stats/caveats.h"

#include <fmt/format.h>
#include <fmt/ranges.h>

#include <algorithm>
#include <cmath>
#include <map>
#include <optional>
#include <set>
#include <tuple>
#include <utility>

#include "stats/leg_marks.h"

namespace assay {
namespace {

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
  caveats.add_if(failed(m, "prefix_cache"), "prefix_cache",
                 fmt::format("the server had {:.0f} % of the prompts in its cache that were new",
                             100 * found("prefix_cache")));
  caveats.add_if(failed(m, "arrivals_late"), "arrivals_late",
                 fmt::format("calls were sent {:.1f} ms late at p99", found("arrivals_late")));
  caveats.add_if(
      failed(m, "arrivals_rate"), "arrivals_rate",
      fmt::format("the call rate was {:.1f} % off what was asked", 100 * found("arrivals_rate")));
}

/// Legs that carry a mark, the first one's detail for all.
void add_marks(std::span<const LegResult> legs, Caveats& caveats) {
  for (const std::string_view code :
       {"void", "invalid", "order_effect", "throttled", "steal", "clock_fell", "client_limited"}) {
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

void add_interrupted(const LedgerContent& ledger, int64_t recorded, Caveats& caveats) {
  const auto planned = static_cast<int64_t>(ledger.meta.calls.size());
  const int64_t missing = planned - recorded;
  const std::string state = ledger.end ? ledger.end->state : "interrupted";
  const std::string why =
      ledger.end && !ledger.end->stopped_by.empty() ? "; " + ledger.end->stopped_by : "";
  if (planned > 0 && missing > 0) {
    caveats.add_if(true, "interrupted",
                   fmt::format("{} of {} planned calls have no record{}", missing, planned, why));
  } else {
    caveats.add_if(state != "completed", "interrupted", "the run did not complete" + why);
  }
}

/// Legs whose latency moved while they were measured: their mean stands for no moment.
void add_courses(std::span<const LegResult> legs, Caveats& caveats) {
  for (const Course course : {Course::kDrifting, Course::kSaturated}) {
    int64_t found = 0;
    double most = 0;
    std::string evidence;  // Of the leg that moved most.
    for (const LegResult& leg : legs) {
      if (!leg.course || leg.course->course != course) continue;
      const double change = leg.course->first_to_last.value_or(0);
      if (found++ > 0 && std::fabs(change) <= std::fabs(most)) continue;
      most = change;
      evidence = leg.course_evidence;
    }
    caveats.add_if(found > 0, to_text(course),
                   fmt::format("E2E latency of {} {} moved by {}{:+.1f} % from the first to the "
                               "last tenth of the calls{}",
                               found, found == 1 ? "leg" : "legs", found == 1 ? "" : "up to ",
                               100 * most, evidence.empty() ? "" : "; " + evidence));
  }
}

void add_counts(const LedgerContent& ledger, int64_t recorded, std::span<const LegResult> legs,
                Caveats& caveats) {
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
  add_interrupted(ledger, recorded, caveats);
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

std::vector<Caveat> find_caveats(const LedgerContent& ledger, const RecordCounts& counts,
                                 const Measurement& measurement, std::span<const LegResult> legs) {
  Caveats caveats;
  if (const auto& imported = ledger.meta.imported) {
    caveats.add_if(
        true, "imported",
        fmt::format("measured by {}, its figures follow its definitions", imported->tool));
  }
  add_checks(measurement, caveats);
  add_marks(legs, caveats);
  caveats.add_calls(counts.estimated_tokens, "estimated_tokens", "with estimated tokens");
  caveats.add_calls(counts.no_token_count, "no_token_count", "without a token count");
  caveats.add_calls(counts.prompt_truncated, "prompt_truncated",
                    "of which the engine cut the prompt");
  const int64_t cells = short_contexts(ledger.meta);
  if (cells > 0) {
    caveats.add_if(true, "context_short",
                   fmt::format("{} {} less context than was asked for", cells,
                               cells == 1 ? "cell has" : "cells have"));
  } else {
    caveats.add_calls(counts.context_short, "context_short",
                      "with less context than was asked for");
  }
  add_counts(ledger, counts.planned, legs, caveats);
  add_preflight(ledger.meta, caveats);
  return caveats.take();
}

}  // namespace assay
