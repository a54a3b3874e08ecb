#include "reports/engine_table.h"

#include <fmt/format.h>

#include <algorithm>
#include <optional>
#include <string_view>

#include "base/check.h"
#include "reports/cell_rows.h"
#include "reports/engine_says.h"

namespace assay {
namespace {

constexpr std::string_view kAboutEngine = "What the engine says itself, over the same calls.";
constexpr std::string_view kAboutDiffers =
    "The figure measured here over the engine's own, less one.";
constexpr std::string_view kAboutCounts =
    "Output tokens a call: events with text that the client saw, the answer's usage, the engine's "
    "own count.";
constexpr std::string_view kAboutServer =
    "Output tokens by the server's counters, before and after the cell's stages, over those of "
    "usage in the same calls, less one. Prompts that are asked in turns share a stage.";

std::string text_of(std::string_view name, std::optional<double> value) {
  const Metric* metric = find_metric(name);
  ASSAY_CHECK(metric != nullptr);
  return metric_text(*metric, value);
}

bool says_anything(const CellSummary& cell) {
  return cell.engine_pp_tps || cell.engine_tg_tps || cell.engine_tokens || cell.usage_tokens ||
         cell.text_events;
}

std::optional<double> server_share(const CellSummary& cell) {
  if (!cell.server || cell.server->usage <= 0) return std::nullopt;
  return static_cast<double>(cell.server->server) / static_cast<double>(cell.server->usage) - 1;
}

void add_warnings(const ReportModel& model, const std::vector<std::string>& labels,
                  Section& section) {
  for (const CellSummary& cell : model.cells) {
    if (!cell.contradicted) continue;
    section.warnings.push_back(
        fmt::format("{}: {}", labels[static_cast<size_t>(cell.cell)], contradiction_text(cell)));
  }
  const bool pooled = std::ranges::any_of(
      model.cells, [](const CellSummary& cell) { return cell.server && cell.server->pooled; });
  if (pooled) {
    section.notes.push_back(
        "server counts: of whole stages; prompts that were asked in turns share one figure");
  }
}

}  // namespace

void add_engine_table(const ReportModel& model, const std::vector<std::string>& labels,
                      Section& section) {
  Table table;
  table.columns = {{"Engine says", "", Align::kLeft},
                   {"pp", "tok/s", Align::kRight, 0, 0, kAboutEngine},
                   {"client", "differs", Align::kRight, 0, 0, kAboutDiffers},
                   {"tg", "tok/s", Align::kRight, 0, 0, kAboutEngine},
                   {"client", "differs", Align::kRight, 0, 0, kAboutDiffers},
                   {"tokens", "events", Align::kRight, 2, 0, kAboutCounts},
                   {"a call", "usage", Align::kRight, 2, 0, kAboutCounts},
                   {"", "engine", Align::kRight, 2, 0, kAboutCounts}};
  std::vector<const CellSummary*> cells = rows_of(model);
  std::erase_if(cells, [](const CellSummary* cell) { return !says_anything(*cell); });
  const bool any_server = std::ranges::any_of(
      cells, [](const CellSummary* cell) { return server_share(*cell).has_value(); });
  if (any_server) {
    table.columns.push_back({"server", "counts", Align::kRight, 3, 0, kAboutServer});
  }
  for (const CellSummary* cell : cells) {
    table.rows.push_back(
        {labels[static_cast<size_t>(cell->cell)], text_of("prefill_tps", cell->engine_pp_tps),
         percent_text(cell->pp_difference), text_of("decode_tps", cell->engine_tg_tps),
         percent_text(cell->tg_difference), text_of("text_events", cell->text_events),
         text_of("usage_output_tokens", cell->usage_tokens),
         text_of("engine_output_tokens", cell->engine_tokens)});
    if (any_server) table.rows.back().emplace_back(percent_text(server_share(*cell)));
  }
  name_rows(model, cells, table);
  if (!table.rows.empty()) section.blocks.emplace_back(std::move(table));
  add_warnings(model, labels, section);
}

}  // namespace assay
