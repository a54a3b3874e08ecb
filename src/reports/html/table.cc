#include "reports/html/table.h"

#include <fmt/format.h>

#include <algorithm>

#include "reports/html/text.h"
#include "stats/metrics.h"

namespace assay {
namespace {

std::string_view direction(Better better) {
  if (better == Better::kLower) return ", lower is better";
  return better == Better::kHigher ? ", higher is better" : "";
}

/// The calls that a column's estimates need, 0 without any estimate.
int64_t needs_of(const Table& table, size_t column) {
  int64_t needs = 0;
  for (const auto& row : table.rows) {
    if (column < row.size()) needs = std::max(needs, row[column].needs);
  }
  return needs;
}

std::string head_cell(const Column& column, int64_t needs, Definitions& definitions) {
  const std::string title = column.title.empty() ? column.unit : column.title;
  std::string inside = definitions.words(title, column.about);
  if (inside.empty()) return "<td></td>";
  if (!column.title.empty() && !column.unit.empty()) {
    inside += fmt::format("<small>{}</small>", html_text(column.unit));
  }
  if (needs > 0) inside += fmt::format("<small>~ needs {} calls</small>", needs);
  return fmt::format("<th scope=\"col\"{}>{}</th>",
                     column.align == Align::kLeft ? " class=\"l\"" : "", inside);
}

std::string body_cell(const TableCell& cell, std::string_view attributes) {
  const bool faint = cell.weight == TableCell::Weight::kFaint;
  const std::string range =
      cell.range.empty() ? "" : fmt::format("<small>{}</small>", html_text(cell.range));
  return fmt::format("<td{0}>{1}{2}{3}{4}</td>", attributes, faint ? "<i>" : "",
                     html_text(cell.text), faint ? "</i>" : "", range);
}

std::string body_row(const std::vector<TableCell>& row, const std::vector<Column>& columns,
                     Definitions& definitions) {
  std::string out = "<tr>";
  if (row.size() == 1 && columns.size() > 1) {
    return out +
           body_cell(row[0], fmt::format(" class=\"l small\" colspan=\"{}\"", columns.size())) +
           "</tr>\n";
  }
  for (size_t i = 0; i < row.size() && i < columns.size(); ++i) {
    if (i == 0) {
      out +=
          fmt::format("<th scope=\"row\">{}</th>", definitions.metric(row[i].text, row[i].metric));
      continue;
    }
    std::string attributes = columns[i].align == Align::kLeft ? " class=\"l\"" : "";
    const size_t rest = columns.size() - i;
    if (i + 1 == row.size() && rest > 1) {
      attributes = fmt::format(" class=\"l\" colspan=\"{}\"", rest);
    }
    out += body_cell(row[i], attributes);
  }
  return out + "</tr>\n";
}

}  // namespace

std::string html_table(const Table& table, std::string_view caption, Definitions& definitions) {
  std::string out = fmt::format(
      "<div class=\"scroll\" tabindex=\"0\" role=\"group\" aria-label=\"{0}\"><table>"
      "<caption>{0}</caption>\n<thead><tr>",
      html_text(caption));
  for (size_t i = 0; i < table.columns.size(); ++i) {
    out += head_cell(table.columns[i], needs_of(table, i), definitions);
  }
  out += "</tr></thead>\n<tbody>";
  for (const auto& row : table.rows) out += body_row(row, table.columns, definitions);
  return out + "</tbody></table></div>\n";
}

std::string Definitions::metric(std::string_view label, std::string_view name) {
  const Metric* metric = find_metric(name);
  if (metric == nullptr) return html_text(label);
  return button(label, fmt::format("{}, {}", metric->label, metric->unit),
                fmt::format("{}{}", metric->definition, direction(metric->better)));
}

std::string Definitions::words(std::string_view label, std::string_view about) {
  if (about.empty()) return html_text(label);
  return button(label, std::string(label), std::string(about));
}

std::string Definitions::button(std::string_view label, std::string note_label, std::string text) {
  auto found = std::find_if(notes_.begin(), notes_.end(),
                            [&](const Note& note) { return note.text == text; });
  if (found == notes_.end()) {
    found = notes_.insert(notes_.end(), {std::move(note_label), std::move(text)});
  }
  return fmt::format("<button popovertarget=\"d{}\">{}</button>", found - notes_.begin(),
                     html_text(label));
}

std::string Definitions::notes() const {
  std::string out;
  for (size_t i = 0; i < notes_.size(); ++i) {
    out += fmt::format("<div popover id=\"d{}\"><strong>{}</strong><br>{}</div>\n", i,
                       html_text(notes_[i].label), html_text(notes_[i].text));
  }
  return out;
}

}  // namespace assay
