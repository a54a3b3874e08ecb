#include "reports/document.h"

#include <fmt/format.h>

#include <algorithm>
#include <utility>

#include "base/text.h"
#include "reports/cold_table.h"
#include "reports/engine_table.h"
#include "reports/harness_tables.h"
#include "reports/headcount_table.h"
#include "reports/imported.h"
#include "reports/machine_figures.h"
#include "reports/sustained_text.h"
#include "reports/tables.h"

namespace assay {
namespace {

constexpr size_t kIdPrefix = 8;
constexpr size_t kMaxReasons = 8;
constexpr size_t kMaxWarnings = 12;

struct Totals {
  int64_t n = 0;
  int64_t ok = 0;
  int64_t failed = 0;
  int64_t skipped = 0;
};

Totals totals_of(const ReportModel& model) {
  Totals t;
  for (const LegResult& leg : model.legs) {
    t.n += leg.n;
    t.ok += leg.ok;
    t.failed += leg.failed;
    t.skipped += leg.skipped;
  }
  return t;
}

std::string plural(int64_t n, std::string_view noun) {
  return fmt::format("{} {}{}", n, noun, n == 1 ? "" : "s");
}

std::string title_of(const ReportModel& model) {
  std::string title = "Run " + model.meta.run_id.substr(0, kIdPrefix);
  if (!model.meta.suite.empty()) title += " · " + model.meta.suite;
  title += " · " + model.state;
  if (model.wall_s) title += fmt::format(" in {} s", grouped(*model.wall_s, 1));
  return title;
}

std::vector<std::string> facts_of(const ReportModel& model) {
  std::vector<std::string> facts;
  if (model.meta.cells.size() == 1) {
    const Cell& cell = model.meta.cells.front();
    std::string fact = cell.id;
    if (!cell.version.empty()) fact += " · version " + cell.version;
    if (!cell.quantization.empty()) fact += " · " + cell.quantization;
    if (cell.model_bytes) fact += " · " + bytes_text(*cell.model_bytes);
    facts.push_back(std::move(fact));
  } else {
    facts.push_back(plural(static_cast<int64_t>(model.meta.cells.size()), "cell"));
  }
  const Totals t = totals_of(model);
  std::string calls = fmt::format("{}: {} ok", plural(t.n, "call"), t.ok);
  if (t.failed > 0) calls += fmt::format(", {} failed", t.failed);
  if (t.skipped > 0) calls += fmt::format(", {} skipped", t.skipped);
  if (model.warmup.n > 0) {
    calls += fmt::format(" · {} before them, not counted", plural(model.warmup.n, "warm-up call"));
  }
  facts.push_back(std::move(calls));
  const std::string& host = model.meta.host;
  facts.push_back(model.meta.started_at_utc + (host.empty() ? "" : " on " + host));
  if (model.meta.imported) facts.push_back(import_text(*model.meta.imported));
  return facts;
}

std::string check_text(const Check& check) {
  return fmt::format("{} {} (limit {})", check.name,
                     check.value ? fmt::format("{:.4g}", *check.value) : "-", check.limit);
}

std::string measurement_text(const ReportModel& model) {
  const Measurement& m = model.measurement;
  std::vector<std::string> parts;
  for (const Check& check : m.checks) {
    if (!check.ok) parts.push_back(check_text(check));
  }
  if (m.client_lag_ms_p99) {
    parts.push_back(fmt::format("client lag p99 {:.2f} ms", *m.client_lag_ms_p99));
  }
  for (const Check& check : m.checks) {
    if (check.name == "calibration" && check.value) {
      parts.push_back(fmt::format("calibrated to {:.2f} ms", *check.value));
    }
  }
  if (m.stamps != StampSource::kNone) parts.push_back(fmt::format("{} stamps", to_text(m.stamps)));
  if (m.engine_difference) {
    const bool agrees = std::none_of(m.checks.begin(), m.checks.end(), [](const Check& check) {
      return check.name == "engine_decode_agreement" && !check.ok;
    });
    parts.push_back(fmt::format("engine {} {}", agrees ? "agrees" : "differs",
                                percent_text(m.engine_difference)));
  }
  if (m.arrivals) {
    parts.push_back(fmt::format("arrivals {:.1f}/s, CV {:.2f}, {} late", m.arrivals->rate,
                                m.arrivals->variation, m.arrivals->late));
  }
  const bool answered = std::any_of(model.cells.begin(), model.cells.end(),
                                    [](const CellSummary& cell) { return cell.ok > 0; });
  std::string verdict = !m.ok      ? "measurement NOT ok"
                        : answered ? "measurement ok"
                                   : "nothing measured: no call was answered";
  // Nobody here saw how it was measured; only what the records say can be checked.
  if (model.meta.imported) {
    verdict = fmt::format("measured by {}: {}", model.meta.imported->tool,
                          !m.ok                 ? "NOT ok"
                          : model.calls.empty() ? "totals only, which cannot be checked"
                                                : "its records do not contradict themselves");
  }
  return parts.empty() ? verdict : verdict + ": " + join(parts, ", ");
}

/// Where a leg is, in words: its cell only where there are several.
std::string place_of(const ReportModel& model, const std::vector<std::string>& labels,
                     const LegResult& leg) {
  std::string place = leg.prompt_id.empty() ? std::string(to_text(leg.phase)) : leg.prompt_id;
  if (model.meta.cells.size() > 1) {
    place += " on " + (leg.cell >= 0 ? labels[static_cast<size_t>(leg.cell)] : leg.cell_id);
  }
  return place;
}

std::vector<std::string> trouble_of(const ReportModel& model) {
  const std::vector<std::string> labels = cell_labels(model.meta);
  std::vector<std::string> warnings;
  for (const LegResult& leg : model.legs) {
    // The table of cells has a row for each cell that was skipped as a whole.
    if (leg.phase == Phase::kSkipped && model.meta.cells.size() > 1) continue;
    const std::string place = place_of(model, labels, leg);
    if (leg.failed > 0) {
      warnings.push_back(fmt::format("{}: {} of {} failed, most often: {}", place, leg.failed,
                                     plural(leg.ok + leg.failed, "call"), leg.failure));
    }
    // What was planned beyond the time of a sustained leg is not missed.
    if (leg.skipped > 0 && leg.skipped_reason != "sustain") {
      warnings.push_back(fmt::format("{}: {} skipped: {}", place, plural(leg.skipped, "call"),
                                     leg.skipped_reason));
    }
    if (leg.n == 0) {
      warnings.push_back(fmt::format("{}: nothing was recorded{}{}", place,
                                     leg.skipped_reason.empty() ? "" : ": ", leg.skipped_reason));
    }
  }
  return warnings;
}

void limit(std::vector<std::string>& lines, size_t most) {
  if (lines.size() <= most) return;
  const size_t more = lines.size() - most;
  lines.resize(most);
  lines.push_back(fmt::format("and {} more: see the JSON report", more));
}

Section main_section(const ReportModel& model) {
  if (model.meta.suite == "speed") return speed_section(model);
  if (has_cell_table(model)) return comparison_section(model);
  Section section = legs_section(model);
  // Another tool's figures are of one side.
  if (!model.meta.imported) add_engine_table(model, cell_labels(model.meta), section);
  return section;
}

}  // namespace

Document make_document(const ReportModel& model) {
  Document document;
  document.title = title_of(model);
  document.facts = facts_of(model);
  Section section = main_section(model);
  document.blocks = std::move(section.blocks);
  if (model.meta.imported && !model.meta.imported->reported.empty()) {
    document.blocks.emplace_back(Heading{reported_title(*model.meta.imported)});
    document.blocks.emplace_back(reported_table(*model.meta.imported));
  }
  if (auto headcount = headcount_table(model)) document.blocks.emplace_back(std::move(*headcount));
  if (auto cold = cold_table(model)) document.blocks.emplace_back(std::move(*cold));
  if (auto routing = routing_table(model)) document.blocks.emplace_back(std::move(*routing));
  document.measurement = measurement_text(model);
  document.measurement_ok = model.measurement.ok;
  for (const Caveat& caveat : model.unreliable) {
    document.unreliable.push_back(fmt::format("{}: {}", caveat.code, caveat.detail));
  }
  document.warnings = trouble_of(model);
  limit(document.warnings, kMaxReasons);
  limit(section.warnings, kMaxWarnings);
  document.warnings.insert(document.warnings.end(), section.warnings.begin(),
                           section.warnings.end());
  for (std::string& text : off_reference_texts(model)) document.warnings.push_back(std::move(text));
  document.notes = model.notes;
  document.notes.insert(document.notes.begin(), section.notes.begin(), section.notes.end());
  if (std::string hint = headcount_hint(model); !hint.empty()) {
    document.notes.push_back(std::move(hint));
  }
  const auto sustained = sustained_notes(model);
  document.notes.insert(document.notes.begin(), sustained.begin(), sustained.end());
  for (std::string& text : cold_notes(model)) document.notes.push_back(std::move(text));
  const auto machine = machine_notes(model);
  document.notes.insert(document.notes.begin(), machine.begin(), machine.end());
  return document;
}

}  // namespace assay
