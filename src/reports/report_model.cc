#include "reports/report_model.h"

#include <fmt/format.h>

#include <map>
#include <set>
#include <utility>

#include "base/text.h"
#include "model/cell_load.h"
#include "reports/cell_figures.h"
#include "stats/gap_store.h"
#include "stats/leg_builder.h"
#include "stats/sustained.h"
#include "stats/telemetry_join.h"

namespace assay {
namespace {

/// How many calls of each leg are kept, answered and failed ones each: large plans share the bound.
int64_t kept_of_each(const RunMeta& meta) {
  if (meta.calls.size() <= kMaxKeptCalls) return kKeptOfLeg;
  const auto legs = std::max<int64_t>(1, std::ssize(meta.legs));
  return std::clamp<int64_t>(static_cast<int64_t>(kMaxKeptCalls) / legs, 1, kKeptOfLeg);
}

void add_notes(const LedgerContent& ledger, std::vector<std::string>& notes) {
  if (ledger.meta.imported) {
    const ImportSource& from = *ledger.meta.imported;
    for (const std::string& definition : from.definitions) {
      notes.push_back(fmt::format("{}: {}", from.tool, definition));
    }
  }
  std::set<std::string> random;  // By model: combinations of settings share one.
  for (const Cell& cell : ledger.meta.cells) {
    if (cell.random_weights && random.insert(cell.model).second) {
      notes.push_back(fmt::format("random weights: speed is real, text is noise ({})", cell.model));
    }
  }
  std::set<std::string> otherwise;  // By text: combinations of settings share some.
  for (const Cell& cell : ledger.meta.cells) {
    const auto differs = not_as_asked(cell);
    if (differs.empty()) continue;
    std::string text =
        fmt::format("{} was not loaded as asked: {}", path_name(cell.model), join(differs, ", "));
    if (otherwise.insert(text).second) notes.push_back(std::move(text));
  }
  if (ledger.resumes > 0) {
    notes.push_back(
        fmt::format("resumed {} {}", ledger.resumes, ledger.resumes == 1 ? "time" : "times"));
  }
  if (ledger.unknown_lines > 0) {
    notes.push_back(fmt::format("{} ledger lines are of kinds this version does not know",
                                ledger.unknown_lines));
  }
}

CoolingTotals cooling_of(std::span<const CoolingWait> waits) {
  CoolingTotals totals;
  for (const CoolingWait& wait : waits) {
    ++totals.waits;
    totals.seconds += static_cast<double>(wait.to_ns - wait.from_ns) / 1e9;
    totals.not_cooled += wait.cooled ? 0 : 1;
  }
  return totals;
}

void add_reading_notes(ReportModel& model) {
  if (model.cooling.waits > 0) {
    std::string text =
        fmt::format("left to cool for {} s in {} {}", grouped(model.cooling.seconds, 1),
                    model.cooling.waits, model.cooling.waits == 1 ? "pause" : "pauses");
    if (model.cooling.not_cooled > 0) {
      text += fmt::format(", of which {} ended before the machine was as cool as asked",
                          model.cooling.not_cooled);
    }
    model.notes.push_back(std::move(text));
  }
  int64_t counted = 0;
  for (const LegResult& leg : model.legs) {
    const MetricResult* gaps = leg.find("icl_ms");
    counted += gaps != nullptr && gaps->counted ? 1 : 0;
  }
  if (counted > 0) {
    model.notes.push_back(fmt::format(
        "icl_ms of {} {}: more than {} gaps, so its percentiles are from a histogram, right to 1 %",
        counted, counted == 1 ? "leg" : "legs", grouped(kMaxExactGaps, 0)));
  }
  if (model.left_out == 0) return;
  const bool by_leg = model.meta.calls.size() > kMaxKeptCalls;
  std::string shown = fmt::format("the first {} of each leg", kept_of_each(model.meta));
  if (!by_leg) shown = fmt::format("the first {} and {}", grouped(kMaxKeptCalls, 0), shown);
  model.notes.push_back(fmt::format(
      "{} of {} records are in the figures only: single calls are shown of {}",
      grouped(static_cast<double>(model.left_out), 0),
      grouped(static_cast<double>(model.left_out + std::ssize(model.calls)), 0), shown));
}

}  // namespace

struct ReportModelBuilder::Parts {
  explicit Parts(Keep what) : keep(what) {}

  /// Counts the record with its leg, as an answer or as one that gave no figure.
  bool is_kept(const CallRecord& r) {
    if (keep == Keep::kAll) return true;
    const bool is_first = kept_of[{r.leg, r.outcome == Outcome::kOk}]++ < kept_of_each(*meta);
    return is_first || (meta->calls.size() <= kMaxKeptCalls && kept.size() < kMaxKeptCalls);
  }

  void add(CallRecord&& record) {
    const bool wanted = is_kept(record);
    const auto flight = machines->add(record);
    if (wanted) kept_flights.push_back(flight);
    sustained->add(record);
    legs->add(record, wanted ? std::optional(kept.size()) : std::nullopt);
    checks->add(record);
    answered->add(record);
    routed->add(record);
    harness.add(record);
    headcount->add(record);
    if (wanted) {
      kept.push_back(std::move(record));
    } else {
      ++left_out;
    }
  }

  void add_flights(ReportModel& model) {
    if (telemetry.empty()) return;
    if (keep == Keep::kAll) {  // Only where each call is a row: it costs as much as all the legs.
      auto energy = machines->of_calls();
      for (const auto& flight : kept_flights) {
        model.call_energy.push_back(flight ? std::move(energy[*flight])
                                           : std::vector<CallEnergy>());
      }
    }
    model.flights = machines->take_flights();
  }

  Keep keep;
  std::optional<RunMeta> meta;
  std::vector<TelemetryStream> telemetry;
  std::optional<TelemetryJoin> machines;
  std::optional<LegBuilder> legs;
  std::optional<SustainedCalls> sustained;
  std::optional<RunChecks> checks;
  std::optional<AnsweredTokens> answered;
  std::optional<RoutedCalls> routed;
  HarnessCalls harness;
  std::optional<HeadcountCalls> headcount;
  std::vector<CallRecord> early;  ///< Before the meta line.
  std::vector<CallRecord> kept;
  std::vector<std::optional<size_t>> kept_flights;  ///< Of `kept`.
  std::map<std::pair<int64_t, bool>, int64_t> kept_of;
  int64_t left_out = 0;
};

ReportModelBuilder::ReportModelBuilder(Keep keep) : parts_(std::make_unique<Parts>(keep)) {}
ReportModelBuilder::~ReportModelBuilder() = default;

void ReportModelBuilder::set_telemetry(std::vector<TelemetryStream> streams) {
  parts_->telemetry = std::move(streams);
}

void ReportModelBuilder::set_meta(const RunMeta& meta) {
  Parts& parts = *parts_;
  if (parts.meta) return;
  parts.meta = meta;
  parts.machines.emplace(*parts.meta, parts.telemetry);
  parts.legs.emplace(*parts.meta);
  parts.sustained.emplace(*parts.meta);
  parts.checks.emplace(*parts.meta);
  parts.answered.emplace(*parts.meta);
  parts.routed.emplace(*parts.meta);
  parts.headcount.emplace(*parts.meta);
  for (CallRecord& record : std::exchange(parts.early, {})) parts.add(std::move(record));
}

void ReportModelBuilder::add(CallRecord&& record) {
  if (parts_->meta) {
    parts_->add(std::move(record));
  } else {
    parts_->early.push_back(std::move(record));
  }
}

ReportModel ReportModelBuilder::finish(LedgerContent rest) {
  set_meta(rest.meta);
  Parts& parts = *parts_;
  ReportModel model;
  model.state = rest.end ? rest.end->state : "interrupted";
  if (rest.end) {
    model.wall_s = rest.end->wall_s;
    model.stopped_by = rest.end->stopped_by;
    model.load_avg_end = rest.end->load_avg_end;
  }
  model.cooling = cooling_of(rest.waits);
  RunLegs run = parts.legs->finish(rest.waits);
  model.legs = std::move(run.legs);
  parts.machines->finish(model.legs);
  parts.sustained->finish(rest.resumes, parts.telemetry, model.legs);
  model.warmup = run.warmup;
  model.measurement = parts.checks->measurement(rest);
  model.unreliable = find_caveats(rest, parts.checks->counts(), model.measurement, model.legs);
  const std::vector<LegTelemetry> machines = parts.machines->of_cells();
  // Counters of an earlier session are not there.
  const ServerTokens counted = rest.end && rest.resumes == 0
                                   ? parts.answered->beside(rest.end->leg_counters)
                                   : ServerTokens();
  for (size_t i = 0; i < rest.meta.cells.size(); ++i) {
    const auto cell = static_cast<int64_t>(i);
    model.cells.push_back(summarise_cell(rest.meta, cell, model.legs, counted));
    if (!machines.empty()) model.cells.back().telemetry = machines[i];
  }
  parts.add_flights(model);
  model.routing = parts.routed->overheads();
  model.goodput = parts.headcount->finish(model.legs, rest.waits);
  model.notes = rest.meta.notes;
  add_notes(rest, model.notes);
  model.meta = std::move(rest.meta);
  model.calls = std::move(parts.kept);
  model.telemetry = std::move(parts.telemetry);
  model.harness = std::move(parts.harness);
  model.left_out = parts.left_out;
  add_reading_notes(model);
  return model;
}

ReportModel make_report_model(LedgerContent ledger) {
  ReportModelBuilder builder(Keep::kAll);
  builder.set_telemetry(std::move(ledger.telemetry));
  builder.set_meta(ledger.meta);
  for (CallRecord& record : std::exchange(ledger.calls, {})) builder.add(std::move(record));
  return builder.finish(std::move(ledger));
}

}  // namespace assay
