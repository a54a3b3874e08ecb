#include "cli/known_tables.h"

#include <fmt/format.h>

#include <set>
#include <variant>

#include "cli/named_run.h"
#include "cli/show_run.h"
#include "reports/layout.h"
#include "reports/tables.h"

namespace assay {
namespace {

/// The run's table of cells.
std::string table_of(const ReportModel& model, const RenderOptions& options) {
  const Section section =
      model.meta.suite == "speed" ? speed_section(model) : comparison_section(model);
  std::string text;
  for (const Block& block : section.blocks) {
    const Table* table = std::get_if<Table>(&block);
    if (table == nullptr) continue;
    for (const std::string& line : lay_out(*table, options)) text += line + "\n";
    break;
  }
  return text;
}

}  // namespace

std::string known_tables(const RunSpec& spec, const ReportModel& model) {
  std::set<std::string> runs;
  for (const Cell& cell : model.meta.cells) {
    if (!cell.known_in.empty()) runs.insert(cell.known_in);
  }
  const RenderOptions options = render_options(spec);
  std::string text;
  for (const std::string& run : runs) {
    const auto loaded = load_named_run(spec, run);
    if (!loaded) continue;
    const std::string title = fmt::format("Known results: run {}, {}", run.substr(0, 8),
                                          loaded->model.meta.started_at_utc);
    text += "\n" + styled(title, Style::kBold, options.colour) + "\n" +
            table_of(loaded->model, options);
  }
  return text;
}

}  // namespace assay
