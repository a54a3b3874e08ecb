#include "stats/legs.h"

#include <algorithm>
#include <set>

#include "stats/leg_builder.h"
#include "stats/sustained.h"
#include "stats/telemetry_join.h"

namespace assay {

const MetricResult* LegResult::find(std::string_view metric) const {
  for (const MetricResult& result : metrics) {
    if (result.metric->name == metric) return &result;
  }
  return nullptr;
}

RunLegs group_legs(const LedgerContent& ledger) {
  LegBuilder builder(ledger.meta);
  TelemetryJoin machines(ledger.meta, ledger.telemetry);
  SustainedCalls sustained(ledger.meta);
  for (size_t i = 0; i < ledger.calls.size(); ++i) {
    builder.add(ledger.calls[i], i);
    sustained.add(ledger.calls[i]);
    if (ledger.telemetry.empty()) continue;
    CallRecord record = ledger.calls[i];
    machines.add(record);
  }
  RunLegs run = builder.finish(ledger.waits);
  machines.finish(run.legs);
  sustained.finish(ledger.resumes, ledger.telemetry, run.legs);
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
