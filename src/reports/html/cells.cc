#include "reports/html/cells.h"

#include <fmt/format.h>

#include <algorithm>
#include <map>
#include <optional>
#include <utility>

#include "reports/html/calls.h"
#include "reports/html/plots.h"
#include "reports/html/text.h"
#include "reports/tables.h"

namespace assay {
namespace {

constexpr size_t kCallsDrawn = 160;  ///< Over all cells.
constexpr size_t kMostCalls = 40;    ///< Of one leg.
constexpr size_t kLeastCalls = 3;
constexpr size_t kOpenLegs = 4;  ///< More are shown when asked for.
constexpr size_t kLeastBytes = 1'800;
constexpr size_t kOtherBytes = 3'000;  ///< Of a leg's pictures but its calls' bars, about.
constexpr std::string_view kMeanTitle = "mean ± 95% CI";

struct LegPart {
  const LegResult* leg = nullptr;
  std::string tables;
  bool left_out = false;  ///< There was no room for the tables.
};

struct CellPart {
  std::string label;
  std::string id;
  std::vector<LegPart> legs;
};

CallsLimits limits_for(size_t room, size_t cells, size_t legs) {
  const size_t share = room / std::max<size_t>(legs, 1);
  return {.calls = std::clamp(kCallsDrawn / std::max<size_t>(cells, 1), kLeastCalls, kMostCalls),
          .bytes = std::max(kLeastBytes, share > kOtherBytes ? share - kOtherBytes : 0)};
}

std::string table_of(Table table, const LegResult& leg, Definitions& definitions) {
  const bool latency = !table.rows.empty() && find_metric(table.rows[0][0].metric) != nullptr &&
                       find_metric(table.rows[0][0].metric)->better == Better::kLower;
  // Tables under one another share the console's title; each stands alone here.
  if (table.columns.size() > 3 && table.columns[2].title.empty()) {
    table.columns[2].title = kMeanTitle;
  }
  return html_table(table,
                    fmt::format("{} over {} ok {}", latency ? "Latency" : "Speed", leg.ok,
                                leg.ok == 1 ? "call" : "calls"),
                    definitions);
}

std::string plots_of(const ReportModel& model, const LegResult& leg, const CallsLimits& limits) {
  std::string out = "<div class=\"pair\">";
  for (const std::string_view name :
       {std::string_view("ttft_ms"),
        std::string_view(leg.find("decode_tps") != nullptr ? "decode_tps" : "chunks_per_sec")}) {
    const MetricResult* result = leg.find(name);
    if (result != nullptr) out += distribution_plot(*result);
  }
  return out + "</div>\n" + calls_plot(model, leg, limits);
}

std::string tables_of(const LegResult& leg, Definitions& definitions) {
  const Section section = leg_section(leg);
  std::string out;
  for (const Block& block : section.blocks) {
    if (const Table* table = std::get_if<Table>(&block)) out += table_of(*table, leg, definitions);
  }
  for (const std::string& warning : section.warnings) {
    out += fmt::format("<p class=\"small\">{}</p>\n", html_text(warning));
  }
  return out;
}

/// The text where it fits into the room, which it then takes up.
std::optional<std::string> take(std::string text, size_t& room) {
  if (text.size() > room) return std::nullopt;
  room -= text.size();
  return text;
}

std::string leg_html(const LegPart& part, const std::optional<std::string>& plots, bool open) {
  std::string inside = part.tables + plots.value_or("");
  if (part.left_out || !plots) {
    inside += fmt::format(
        "<p class=\"small\">{} left out here, which keeps this file small: the JSON and CSV "
        "reports have everything.</p>\n",
        part.left_out ? "Tables and pictures are" : "Pictures are");
  }
  return fmt::format("<details{}><summary><h4>{}</h4></summary>\n{}</details>\n",
                     open ? " open" : "", html_text(leg_title(*part.leg)), inside);
}

/// A prompt's legs at several concurrencies.
std::string load_plots(const CellPart& cell) {
  std::map<std::string, std::vector<LoadPoint>> prompts;
  for (const LegPart& part : cell.legs) {
    const LegResult& leg = *part.leg;
    const MetricResult* ttft = leg.find("ttft_ms");
    if (leg.phase == Phase::kCold || ttft == nullptr || !ttft->summary.p50) continue;
    if (!leg.aggregate_tps) continue;
    prompts[leg.prompt_id].push_back({leg.concurrency, *ttft->summary.p50, *leg.aggregate_tps});
  }
  std::string out;
  for (auto& [prompt, points] : prompts) {
    const bool differ = std::any_of(points.begin(), points.end(), [&](const LoadPoint& point) {
      return point.concurrency != points.front().concurrency;
    });
    if (differ) out += load_plot(prompt, std::move(points));
  }
  return out;
}

/// `room` is what the cell's pictures may take; what they leave stays in it.
std::string cell_html(const ReportModel& model, const CellPart& cell, size_t cells, size_t& room) {
  std::string out = fmt::format("<section class=\"cell\"><h3>{}</h3>\n", html_text(cell.label));
  out += take(load_plots(cell), room).value_or("");
  const CallsLimits limits = limits_for(room, cells, cell.legs.size());
  for (const LegPart& part : cell.legs) {
    out += leg_html(part, take(plots_of(model, *part.leg, limits), room),
                    model.legs.size() <= kOpenLegs);
  }
  if (cell.legs.empty()) out += "<p>Nothing was recorded.</p>\n";
  return out + "</section>\n";
}

/// The plan's cells, best first, then those that only records name.
std::vector<CellPart> cells_of(const ReportModel& model) {
  const std::vector<std::string> labels = cell_labels(model.meta);
  std::vector<CellPart> cells;
  for (const CellSummary* cell : best_first(model)) {
    cells.push_back({labels[static_cast<size_t>(cell->cell)], model.cell_of(*cell).id, {}});
  }
  for (const LegResult& leg : model.legs) {
    auto cell = std::find_if(cells.begin(), cells.end(),
                             [&](const CellPart& known) { return known.id == leg.cell_id; });
    if (cell == cells.end()) cell = cells.insert(cells.end(), {leg.cell_id, leg.cell_id, {}});
    cell->legs.push_back({&leg, "", false});
  }
  return cells;
}

}  // namespace

std::string cell_sections(const ReportModel& model, Definitions& definitions) {
  std::vector<CellPart> cells = cells_of(model);
  size_t room = kMaxDetailBytes;
  for (CellPart& cell : cells) {
    for (LegPart& part : cell.legs) {
      auto tables = take(tables_of(*part.leg, definitions), room);
      part.left_out = !tables;
      part.tables = std::move(tables).value_or("");
    }
  }
  // Every cell gets the same room for pictures, and what those before it left over.
  const size_t share = room / std::max<size_t>(cells.size(), 1);
  size_t mine = 0;
  std::string out;
  for (const CellPart& cell : cells) {
    mine += share;
    out += cell_html(model, cell, cells.size(), mine);
  }
  return out;
}

}  // namespace assay
