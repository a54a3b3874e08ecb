#include "reports/cell_rows.h"

#include <algorithm>
#include <iterator>
#include <set>
#include <string_view>
#include <utility>

#include "base/text.h"
#include "reports/rank.h"
#include "reports/weights_groups.h"

namespace assay {
namespace {

/// A cell's id without its combination.
std::string base_id(const Cell& cell) {
  const std::string suffix = "@" + join(cell.matrix, ",");
  if (cell.matrix.empty() || !cell.id.ends_with(suffix)) return cell.id;
  return cell.id.substr(0, cell.id.size() - suffix.size());
}

/// What tells a cell's model apart; empty where the run has one alone.
std::string model_label(const RunMeta& meta, const Cell& cell) {
  std::set<std::string> bases;
  std::set<std::string> same_name;
  for (const Cell& other : meta.cells) {
    bases.insert(base_id(other));
    if (other.model == cell.model) same_name.insert(base_id(other));
  }
  if (bases.size() == 1) return {};
  return same_name.size() == 1 ? std::string(path_name(cell.model)) : base_id(cell);
}

/// `threads` of `threads=2`.
std::string_view option_of(std::string_view setting) {
  return setting.substr(0, setting.find('='));
}

std::string value_of(std::string_view setting) {
  const size_t equals = setting.find('=');
  return std::string(equals == std::string_view::npos ? "" : setting.substr(equals + 1));
}

/// `gpu` above `layers`.
Column column_of(std::string_view option, Align align) {
  const size_t hyphen = option.find('-');
  if (hyphen == std::string_view::npos) return {std::string(option), "", align};
  return {std::string(option.substr(0, hyphen)), std::string(option.substr(hyphen + 1)), align};
}

void add_matrix_columns(const ReportModel& model, const std::vector<const CellSummary*>& cells,
                        Table& table) {
  if (cells.empty() || model.cell_of(*cells.front()).matrix.empty()) return;
  const bool named = !model_label(model.meta, model.cell_of(*cells.front())).empty();
  std::vector<Column> columns;
  for (const std::string& setting : model.cell_of(*cells.front()).matrix) {
    const bool leads = columns.empty() && !named;
    columns.push_back(column_of(option_of(setting), leads ? Align::kLeft : Align::kRight));
  }
  if (!named) table.columns.erase(table.columns.begin());
  table.columns.insert(table.columns.begin() + (named ? 1 : 0), columns.begin(), columns.end());
  for (size_t i = 0; i < table.rows.size() && i < cells.size(); ++i) {
    const Cell& cell = model.cell_of(*cells[i]);
    auto& row = table.rows[i];
    std::vector<TableCell> front;
    if (named) front.emplace_back(model_label(model.meta, cell));
    for (const std::string& setting : cell.matrix) front.emplace_back(value_of(setting));
    row.erase(row.begin());
    row.insert(row.begin(), std::make_move_iterator(front.begin()),
               std::make_move_iterator(front.end()));
  }
}

std::vector<int64_t> indices_of(const std::vector<const CellSummary*>& cells) {
  std::vector<int64_t> indices;
  indices.reserve(cells.size());
  for (const CellSummary* cell : cells) indices.push_back(cell->cell);
  return indices;
}

}  // namespace

std::vector<const CellSummary*> rows_of(const ReportModel& model) {
  const std::vector<const CellSummary*> order = ranked(model);
  const auto groups = weights_rows(model.meta, indices_of(order));
  std::vector<const CellSummary*> rows;
  std::set<int64_t> placed;
  const auto place = [&](int64_t cell) {
    if (placed.insert(cell).second) rows.push_back(&model.cells[static_cast<size_t>(cell)]);
  };
  for (const CellSummary* cell : order) {
    place(cell->cell);
    for (const WeightsRows& group : groups) {
      if (std::ranges::find(group.cells, cell->cell) == group.cells.end()) continue;
      for (const int64_t other : group.cells) place(other);
    }
  }
  return rows;
}

void complete_rows(const ReportModel& model, const std::vector<const CellSummary*>& cells,
                   Table& table) {
  add_matrix_columns(model, cells, table);
  for (const WeightsRows& group : weights_rows(model.meta, indices_of(cells))) {
    // Behind the last row of the group; rows that were put in before it have one cell.
    size_t row = 0;
    size_t at = 0;
    for (; at < table.rows.size(); ++at) {
      if (table.rows[at].size() == 1) continue;
      if (cells[row++]->cell == group.cells.back()) break;
    }
    table.rows.insert(
        table.rows.begin() + static_cast<std::ptrdiff_t>(std::min(at + 1, table.rows.size())),
        std::vector<TableCell>{TableCell("^ " + why_text(group))});
  }
}

void name_rows(const ReportModel& model, const std::vector<const CellSummary*>& cells,
               Table& table) {
  if (table.columns.empty() || cells.empty()) return;
  const std::string title = table.columns.front().title;
  add_matrix_columns(model, cells, table);
  Column& first = table.columns.front();
  if (first.title == title) return;
  first.unit = first.unit.empty() ? first.title : first.title + "-" + first.unit;
  first.title = title;
}

std::string matrix_label(const RunMeta& meta, const Cell& cell) {
  const std::string model = model_label(meta, cell);
  return (model.empty() ? "" : model + " ") + join(cell.matrix, " ");
}

}  // namespace assay
