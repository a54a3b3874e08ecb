#include "reports/report_model.h"

#include <fmt/format.h>

#include <map>
#include <utility>

#include "base/text.h"
#include "reports/cell_figures.h"
#include "stats/gap_store.h"
#include "stats/leg_builder.h"
#include "stats/telemetry_join.h"

namespace assay {
namespace {

void add_notes(const LedgerContent& ledger, std::vector<std::string>& notes) {
  if (ledger.meta.imported) {
    const ImportSource& from = *ledger.meta.imported;
    for (const std::string& definition : from.definitions) {
      notes.push_back(fmt::format("{}: {}", from.tool, definition));
    }
  }
  for (const Cell& cell : ledger.meta.cells) {
    if (cell.random_weights) {
      notes.push_back(fmt::format("random weights: speed is real, text is noise ({})", cell.model));
    }
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

void add_reading_notes(ReportModel& model) {
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
  model.notes.push_back(fmt::format(
      "{} of {} records are in the figures only: single calls are shown of the first {}{}",
      grouped(static_cast<double>(model.left_out), 0),
      grouped(static_cast<double>(model.left_out + std::ssize(model.calls)), 0),
      grouped(static_cast<double>(by_leg ? kKeptOfLeg : std::ssize(model.calls)), 0),
      by_leg ? " of each leg" : ""));
}

}  // namespace

struct ReportModelBuilder::Parts {
  explicit Parts(Keep what) : keep(what) {}

  /// Counts the record with its leg, as an answer or as one that gave no figure.
  bool is_kept(const CallRecord& r) {
    if (keep == Keep::kAll) return true;
    if (kept.size() >= kMaxKeptCalls) return false;
    if (meta->calls.size() <= kMaxKeptCalls) return true;
    return kept_of[{r.leg, r.outcome == Outcome::kOk}]++ < kKeptOfLeg;
  }

  void add(CallRecord&& record) {
    const bool wanted = is_kept(record);
    machines->add(record);
    legs->add(record, wanted ? std::optional(kept.size()) : std::nullopt);
    checks->add(record);
    routed->add(record);
    harness.add(record);
    if (wanted) {
      kept.push_back(std::move(record));
    } else {
      ++left_out;
    }
  }

  Keep keep;
  std::optional<RunMeta> meta;
  std::vector<TelemetryStream> telemetry;
  std::optional<TelemetryJoin> machines;
  std::optional<LegBuilder> legs;
  std::optional<RunChecks> checks;
  std::optional<RoutedCalls> routed;
  HarnessCalls harness;
  std::vector<CallRecord> early;  ///< Before the meta line.
  std::vector<CallRecord> kept;
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
  parts.checks.emplace(*parts.meta);
  parts.routed.emplace(*parts.meta);
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
    model.load_avg_end = rest.end->load_avg_end;
  }
  RunLegs run = parts.legs->finish();
  model.legs = std::move(run.legs);
  parts.machines->finish(model.legs);
  model.warmup = run.warmup;
  model.measurement = parts.checks->measurement(rest);
  model.unreliable = find_caveats(rest, parts.checks->counts(), model.measurement, model.legs);
  for (size_t i = 0; i < rest.meta.cells.size(); ++i) {
    model.cells.push_back(summarise_cell(rest.meta, static_cast<int64_t>(i), model.legs));
    model.cells.back().telemetry = parts.machines->of_cell(static_cast<int64_t>(i));
  }
  model.routing = parts.routed->overheads();
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
