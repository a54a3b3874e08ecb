#pragma once

#include <string>
#include <vector>

#include "reports/document.h"

namespace assay {

// Tables with a row for each cell: their order, and what stands around the figures.

/// ranked(), with the cells that run the same weights below the first of them.
std::vector<const CellSummary*> rows_of(const ReportModel& model);

/// `table` has a row for each of `cells`, its label in front. Of a matrix the options with several
/// values become columns in the label's place, the model's name before them where there are
/// several models. Below each group of same weights comes a row that says what differs.
void complete_rows(const ReportModel& model, const std::vector<const CellSummary*>& cells,
                   Table& table);

/// The same without those rows: of a matrix alone the first column changes, whose title stays above
/// the options.
void name_rows(const ReportModel& model, const std::vector<const CellSummary*>& cells,
               Table& table);

/// A matrix cell's label in prose: its values, behind what tells its model apart.
std::string matrix_label(const RunMeta& meta, const Cell& cell);

}  // namespace assay
