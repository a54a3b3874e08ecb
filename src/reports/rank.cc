#include "reports/rank.h"

#include <algorithm>
#include <limits>
#include <nlohmann/json.hpp>
#include <optional>
#include <string>

#include "reports/tables.h"

namespace assay {
namespace {

std::string rank_by(const ReportModel& model) {
  const auto options = nlohmann::json::parse(model.meta.options_json, nullptr, false);
  return options.is_object() ? options.value("rank-by", std::string()) : std::string();
}

std::optional<double> memory_of(const ReportModel& model, const CellSummary& cell) {
  const auto bytes = cell.memory_bytes ? cell.memory_bytes : model.cell_of(cell).model_bytes;
  return bytes && *bytes > 0 ? std::optional<double>(static_cast<double>(*bytes)) : std::nullopt;
}

/// The less, the better; absent where the figure is.
std::optional<double> rank_key(const ReportModel& model, const CellSummary& cell, Prefix prefix,
                               const std::string& by) {
  const auto memory = memory_of(model, cell);
  if (by == "memory") return memory;
  if (by == "efficiency") {
    if (!memory || !cell.tg_tps) return std::nullopt;
    return -*cell.tg_tps / *memory;
  }
  if (prefix == Prefix::kFresh) return cell.ttft_fresh_ms;
  return prefix == Prefix::kReused ? cell.ttft_reused_ms : cell.ttft_unknown_ms;
}

}  // namespace

std::vector<const CellSummary*> ranked(const ReportModel& model) {
  const std::string by = rank_by(model);
  if (by.empty() || by == "speed") return best_first(model);
  const Prefix prefix = common_prefix(model);
  const auto key = [&](const CellSummary* cell) {
    return rank_key(model, *cell, prefix, by).value_or(std::numeric_limits<double>::infinity());
  };
  std::vector<const CellSummary*> cells;
  for (const CellSummary& cell : model.cells) cells.push_back(&cell);
  std::stable_sort(cells.begin(), cells.end(),
                   [&](const CellSummary* a, const CellSummary* b) { return key(a) < key(b); });
  return cells;
}

}  // namespace assay
