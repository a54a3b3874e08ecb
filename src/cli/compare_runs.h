#pragma once

#include "cli/named_run.h"
#include "reports/compare_report.h"
#include "store/state.h"

namespace assay {

inline constexpr double kUsualTolerance = 0.03;

/// `now` against `base`, with the noise floors that `state` knows of this machine. The same run
/// twice: its variants against the first of them.
ComparisonReport compare_loaded(const LoadedRun& base, const LoadedRun& now, double tolerance,
                                const State& state);

/// Whether the run's cells are the variants of an interleaved comparison.
bool has_variants(const RunMeta& meta);

}  // namespace assay
