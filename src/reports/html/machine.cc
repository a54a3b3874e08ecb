#include "reports/html/machine.h"

#include <fmt/format.h>

#include "reports/html/machine_plot.h"
#include "reports/html/shell.h"
#include "reports/html/text.h"
#include "reports/machine_figures.h"

namespace assay {

std::string machine_html(const ReportModel& model, Definitions& definitions) {
  constexpr size_t kMostPlots = 3;
  std::string out;
  size_t drawn = 0;
  for (const TelemetryStream& stream : model.telemetry) {
    if (drawn++ == kMostPlots) break;
    out += machine_plot(model, stream);
  }
  if (const auto table = machine_table(model)) {
    out +=
        html_table(*table, "The machine while the calls of each leg were in flight", definitions);
  }
  const auto gaps = machine_gaps(model);
  if (!gaps.empty()) {
    std::string list;
    for (const std::string& gap : gaps) list += fmt::format("<li>{}</li>\n", html_text(gap));
    out += fmt::format(
        "<details><summary>What could not be read</summary><ul class=\"plain\">\n{}</ul>"
        "</details>\n",
        list);
  }
  return out;
}

}  // namespace assay
