#pragma once

#include <string>
#include <vector>

#include "reports/compare_report.h"
#include "reports/html/answers.h"
#include "reports/html/table.h"

namespace assay {

/// The parts of a comparison's page.

using Reports = std::vector<ComparisonReport>;
using Runs = std::vector<const ReportModel*>;

/// One of the base's cells in every comparison that has it; or one that only a new run has. Of a
/// single comparison each pair of cells is one.
struct CellAcross {
  struct In {
    const ComparisonReport* report = nullptr;
    const ComparedCell* cell = nullptr;
  };
  std::string label;
  std::vector<In> in;  ///< In the reports' order.
};
std::vector<CellAcross> cells_across(const Reports& reports);

/// Figures of both sides; with several new runs each has its columns. By prompt folded below.
std::string figures_html(const Reports& reports, Definitions& definitions);
/// Every metric's change on one axis.
std::string changes_html(const Reports& reports);
/// Throughput over latency where the runs asked at several levels of concurrency; else empty.
std::string loads_html(const Reports& reports, const Runs& runs, Definitions& definitions);
/// How sure it all is: units, noise, the smallest change that would be found.
std::string certainty_html(const Reports& reports);
/// What differs between the runs, then, folded, what is the same.
std::string settings_html(const Reports& reports, const Runs& runs, Definitions& definitions);
/// The exact commands that would answer what is open.
std::vector<NextStep> comparison_steps(const Reports& reports);

}  // namespace assay
