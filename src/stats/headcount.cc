#include "stats/headcount.h"

#include <algorithm>
#include <cstdlib>
#include <nlohmann/json.hpp>

#include "model/options.h"
#include "stats/derive.h"
#include "stats/incomplete_beta.h"
#include "stats/leg_marks.h"

namespace assay {
namespace {

using What = Objective::What;

/// From when a call was due: waiting for its turn is waiting too.
std::optional<double> since_due(const CallRecord& r, std::optional<double> since_sent) {
  if (!since_sent || !r.at.due || !r.at.sent) return since_sent;
  return *since_sent + static_cast<double>(*r.at.sent - *r.at.due) / 1e6;
}

std::optional<double> figure_for(const CallRecord& r, What what) {
  switch (what) {
    case What::kTtft:
      return since_due(r, derive::ttft_ms(r));
    case What::kTpot:
    case What::kItl:
      return derive::itl_ms(r);
    case What::kE2e:
      return since_due(r, derive::e2e_ms(r));
    case What::kTps:
      return derive::decode_tps(r);
  }
  return std::nullopt;
}

/// The p at which `tail(p)` reaches 1 - kSure, for a tail that rises with p.
template <class Tail>
double where_sure(const Tail& tail) {
  double low = 0;
  double high = 1;
  constexpr int kHalvings = 60;  // Below a double's last digit.
  for (int i = 0; i < kHalvings; ++i) {
    const double middle = (low + high) / 2;
    (tail(middle) < 1 - kSure ? low : high) = middle;
  }
  return low;
}

/// The options that decide, of a run's ledger.
Goodput asked_in(const RunMeta& meta) {
  Goodput asked;
  const auto options = nlohmann::json::parse(meta.options_json, nullptr, false);
  if (!options.is_object() || !options.contains("goodput")) return asked;
  const auto& text = options["goodput"];
  if (!text.is_string()) return asked;
  auto objectives = parse_objectives(text.get<std::string>());
  if (!objectives) return asked;
  asked.objectives = std::move(*objectives);
  asked.attainment = RunSpec().attainment;
  if (const auto share = options.find("attainment"); share != options.end() && share->is_string()) {
    const double told = std::strtod(share->get<std::string>().c_str(), nullptr);
    if (is_attainment(told)) asked.attainment = told;
  }
  return asked;
}

}  // namespace

std::optional<bool> holds(const CallRecord& record, std::span<const Objective> objectives) {
  if (record.outcome == Outcome::kSkipped) return std::nullopt;
  if (record.outcome != Outcome::kOk) return false;
  bool known = true;
  for (const Objective& objective : objectives) {
    const auto figure = figure_for(record, objective.what);
    known &= figure.has_value();
    if (!figure) continue;
    const bool held =
        objective.what == What::kTps ? *figure >= objective.limit : *figure <= objective.limit;
    if (!held) return false;
  }
  return known ? std::optional(true) : std::nullopt;
}

double least_share(int64_t met, int64_t judged) {
  if (met <= 0) return 0;
  const auto k = static_cast<double>(met);
  const auto n = static_cast<double>(judged);
  return where_sure([&](double p) { return incomplete_beta(p, k, n - k + 1); });
}

double most_share(int64_t met, int64_t judged) { return 1 - least_share(judged - met, judged); }

HeadcountCalls::HeadcountCalls(const RunMeta& meta) : meta_(meta), asked_(asked_in(meta)) {}

void HeadcountCalls::add(const CallRecord& record) {
  if (asked_.objectives.empty() || !record.final || record.phase != Phase::kMeasure) return;
  if (record.leg < 0 || record.leg >= std::ssize(meta_.legs)) return;
  const Leg& leg = meta_.legs[static_cast<size_t>(record.leg)];
  if (record.outcome == Outcome::kSkipped) return;
  if (leg.cell < 0 || leg.cell >= std::ssize(meta_.cells)) return;
  Seen& seen = seen_[{leg.cell, leg.concurrency}];
  const auto first = record.at.due ? record.at.due : record.at.start;
  const auto last = record.at.done ? record.at.done : record.at.ended;
  const auto index = static_cast<size_t>(record.index);
  if (first && last && record.index >= 0 && index < meta_.calls.size()) {
    const auto [span, is_new] =
        seen.stages.try_emplace(meta_.calls[index].stage, Span{*first, *last});
    span->second.first_ns = std::min(span->second.first_ns, *first);
    span->second.last_ns = std::max(span->second.last_ns, *last);
  }
  const auto held = holds(record, asked_.objectives);
  if (!held) {
    ++seen.unjudged;
    return;
  }
  ++seen.judged;
  seen.met += *held ? 1 : 0;
}

Goodput HeadcountCalls::finish(std::span<const LegResult> legs,
                               std::span<const CoolingWait> waits) const {
  Goodput result = asked_;
  for (const auto& [key, seen] : seen_) {
    const auto [cell, concurrency] = key;
    if (result.cells.empty() || result.cells.back().cell != cell) {
      result.cells.push_back({cell, {}, std::nullopt});
    }
    HeadcountLevel level;
    level.concurrency = concurrency;
    level.met = seen.met;
    level.judged = seen.judged;
    level.unjudged = seen.unjudged;
    if (seen.judged > 0) {
      level.least_share = least_share(seen.met, seen.judged);
      level.most_share = most_share(seen.met, seen.judged);
      level.passes = *level.least_share >= asked_.attainment;
      level.misses = *level.most_share < asked_.attainment;
    }
    for (const LegResult& leg : legs) {
      if (leg.cell != cell || leg.concurrency != concurrency) continue;
      level.client_limited |= find_mark(leg, "client_limited") != nullptr;
      level.is_void |= find_mark(leg, "void") != nullptr && !leg.queued;
      for (const LegMark& mark : leg.marks) {
        const bool told =
            mark.code == "client_limited" || mark.code == "void" ||
            std::find(level.marks.begin(), level.marks.end(), mark.code) != level.marks.end();
        if (!told) level.marks.emplace_back(mark.code);
      }
    }
    double seconds = 0;
    for (const auto& [stage, span] : seen.stages) {
      int64_t ns = span.last_ns - span.first_ns;
      for (const CoolingWait& wait : waits) {
        const int64_t to = std::min(wait.to_ns, span.last_ns);
        ns -= std::max<int64_t>(0, to - std::max(wait.from_ns, span.first_ns));
      }
      seconds += static_cast<double>(ns) / 1e9;
    }
    if (seconds > 0 && seen.judged > 0) level.goodput = static_cast<double>(seen.met) / seconds;
    result.cells.back().levels.push_back(level);
  }
  for (Headcount& headcount : result.cells) {
    for (const HeadcountLevel& level : headcount.levels) {
      if (!level.passes || level.client_limited || level.is_void) break;
      headcount.users = level.concurrency;
    }
  }
  return result;
}

}  // namespace assay
