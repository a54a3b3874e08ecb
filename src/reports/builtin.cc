#include "reports/builtin.h"

#include <array>

namespace assay {
namespace {

constexpr std::array kReports{
    Report{"json", ".json", "One document, schema assay.run/1", render_json},
    Report{"csv", ".csv", "One row per call record", render_csv, true},
    Report{"md", ".md", "The summary's tables in Markdown", render_markdown},
    Report{"v1-baseline", "", "Source 004's tables, in its column order", render_v1_baseline},
    Report{"html", ".html", "One page that opens without a network", render_html},
    Report{"junit", ".xml", "A test suite per cell, for CI", render_junit},
    Report{"console", "", "The summary as the terminal shows it", render_console},
};

}  // namespace

std::span<const Report> reports() { return kReports; }

const Report* find_report(std::string_view name) {
  for (const Report& report : kReports) {
    if (report.name == name) return &report;
  }
  return nullptr;
}

const Report* find_report_for(std::string_view path) {
  for (const Report& report : kReports) {
    if (!report.extension.empty() && path.ends_with(report.extension)) return &report;
  }
  return nullptr;
}

}  // namespace assay
