#include "reports/imported.h"

#include <fmt/format.h>

#include <cmath>

#include "base/text.h"

namespace assay {
namespace {

constexpr size_t kMaxRows = 60;
constexpr double kWholeFrom = 999.95;

std::string value_text(double value) {
  if (value == std::floor(value) && std::fabs(value) < 1e15) return grouped(value, 0);
  if (std::fabs(value) >= kWholeFrom) return grouped(value, 0);
  return std::fabs(value) >= 1 ? grouped(value, 2) : fmt::format("{:.3g}", value);
}

}  // namespace

std::string import_text(const ImportSource& source) {
  return fmt::format("imported from {}{}{} ({}): its definitions", source.tool,
                     source.version.empty() ? "" : " ", source.version, source.file);
}

std::string reported_title(const ImportSource& source) {
  return fmt::format("As {} reports it", source.tool);
}

Table reported_table(const ImportSource& source) {
  Table table;
  table.columns = {{"Of", "", Align::kLeft},
                   {"Its figure", "", Align::kLeft},
                   {"Value", ""},
                   {"Unit", "", Align::kLeft}};
  for (const ReportedFigure& f : source.reported) {
    if (table.rows.size() == kMaxRows) {
      table.rows.push_back({std::string("…"), fmt::format("and {} more: see the JSON report",
                                                          source.reported.size() - kMaxRows)});
      break;
    }
    table.rows.push_back({f.of, f.name, value_text(f.value), f.unit});
  }
  return table;
}

}  // namespace assay
