#pragma once

#include <optional>
#include <span>
#include <string_view>

#include "reports/report_model.h"

namespace assay {

/// The legs of one cell that its line of figures is made from: warm and measured ones, the cold
/// ones only where there are no others, at the lowest concurrency there is.
std::vector<const LegResult*> steady_legs(std::span<const LegResult> legs,
                                          std::string_view cell_id);

/// An equal-weight mean over prompts. Absent when no leg has the metric.
struct OverPrompts {
  std::optional<double> value;
  int64_t calls = 0;  ///< Of the prompt with the fewest.
};

/// Of a figure of `metric` among `legs`: prompts are strata, so their values are never pooled. Each
/// prompt is represented by its largest leg with `prefix`.
OverPrompts over_prompts(std::span<const LegResult* const> legs, Prefix prefix,
                         std::string_view metric, std::optional<double> Summary::*figure);

/// The figures of RunMeta::cells[cell]. `legs` are those of the whole run, `counted` what servers
/// counted.
CellSummary summarise_cell(const RunMeta& meta, int64_t cell, std::span<const LegResult> legs,
                           const ServerTokens& counted);

}  // namespace assay
