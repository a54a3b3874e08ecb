#include "reports/report_model.h"

#include <fmt/format.h>

#include "reports/cell_figures.h"

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

}  // namespace

ReportModel make_report_model(LedgerContent ledger) {
  ReportModel model;
  model.state = ledger.end ? ledger.end->state : "interrupted";
  if (ledger.end) {
    model.wall_s = ledger.end->wall_s;
    model.load_avg_end = ledger.end->load_avg_end;
  }
  RunLegs run = group_legs(ledger);
  model.legs = std::move(run.legs);
  model.warmup = run.warmup;
  model.measurement = check_measurement(ledger);
  model.unreliable = find_caveats(ledger, model.measurement, model.legs);
  for (size_t i = 0; i < ledger.meta.cells.size(); ++i) {
    model.cells.push_back(summarise_cell(ledger.meta, static_cast<int64_t>(i), model.legs));
  }
  model.routing = routing_overhead(ledger.meta, ledger.calls);
  model.notes = ledger.meta.notes;
  add_notes(ledger, model.notes);
  model.meta = std::move(ledger.meta);
  model.calls = std::move(ledger.calls);
  return model;
}

}  // namespace assay
