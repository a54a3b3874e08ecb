#include <fmt/format.h>

#include "reports/builtin.h"
#include "reports/document.h"
#include "reports/layout.h"

namespace assay {
namespace {

/// Text of anybody as plain words of Markdown: no markup, HTML, table border or line end.
std::string escaped(std::string_view raw) {
  constexpr std::string_view kMarkup = "\\`*_[]#|~$";
  std::string out;
  for (const char c : safe_text(raw, RenderOptions::Glyphs::kUtf8)) {
    if (c == '&') {
      out += "&amp;";
    } else if (c == '<') {
      out += "&lt;";
    } else if (c == '>') {
      out += "&gt;";
    } else {
      if (kMarkup.find(c) != std::string_view::npos) out += '\\';
      out += c;
    }
  }
  return out;
}

std::string row_of(const std::vector<std::string>& cells) {
  return fmt::format("| {} |\n", fmt::join(cells, " | "));
}

std::string markdown(const Heading& heading) {
  return fmt::format("### {}\n\n", escaped(heading.text));
}

std::string markdown(const Table& table) {
  std::vector<std::string> titles;
  std::vector<std::string> rules;
  for (const Column& column : table.columns) {
    const std::string both = column.title.empty() || column.unit.empty()
                                 ? column.title + column.unit
                                 : column.title + ", " + column.unit;
    titles.push_back(escaped(both));
    rules.emplace_back(column.align == Align::kLeft ? ":---" : "---:");
  }
  std::string out = row_of(titles) + row_of(rules);
  for (const auto& row : table.rows) {
    std::vector<std::string> cells;
    cells.reserve(table.columns.size());
    for (const TableCell& cell : row) {
      cells.push_back(escaped(cell.text));
      if (!cell.range.empty()) cells.back() += fmt::format(" ({})", escaped(cell.range));
    }
    cells.resize(table.columns.size());
    out += row_of(cells);
  }
  return out + "\n";
}

std::string markdown(const Histogram& histogram) {
  std::string out = "```text\n";
  for (const std::string& line : lay_out(histogram, {})) out += line + "\n";
  return out + "```\n\n";
}

void add_list(std::string_view title, const std::vector<std::string>& items, std::string& out) {
  if (items.empty()) return;
  out += fmt::format("{}\n\n", title);
  for (const std::string& item : items) out += fmt::format("- {}\n", escaped(item));
  out += '\n';
}

}  // namespace

std::string markdown_text(const Document& document) {
  std::string out = fmt::format("## {}\n\n", escaped(document.title));
  for (const std::string& fact : document.facts) out += fmt::format("- {}\n", escaped(fact));
  out += '\n';
  for (const Block& block : document.blocks) {
    out += std::visit([](const auto& one) { return markdown(one); }, block);
  }
  if (!document.measurement.empty()) {
    out += fmt::format("{}\n\n", escaped(document.measurement));
  }
  add_list("Failed:", document.failures, out);
  add_list("Unreliable:", document.unreliable, out);
  add_list("Warnings:", document.warnings, out);
  add_list("Notes:", document.notes, out);
  out.pop_back();
  return out;
}

std::string render_markdown(const ReportModel& model, const RenderOptions&) {
  return markdown_text(make_document(model));
}

}  // namespace assay
