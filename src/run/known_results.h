#pragma once

#include <filesystem>
#include <span>

#include "base/result.h"
#include "model/options.h"
#include "model/run.h"
#include "run/planner.h"

namespace assay {

/// Marks the cells of `meta` as unavailable, with the earlier run in Cell::known_in, which a
/// completed run of `data_dir` has already measured: the same cell, engine version and model
/// digest, the same suite and revision, and among its legs every one that is asked for now, by
/// prompt, settings hash, concurrency and rate, each with an ok call. What is marked
/// `invalid`, a run or a leg, is not known. `variants` and `fit` are
/// make_plan()'s. Looks at the newest kKnownRuns runs of each cell. Returns how
/// many. Errors of the index; of ledgers that cannot be read nothing is known.
Result<int64_t> skip_known_results(const std::filesystem::path& data_dir, const RunSpec& spec,
                                   RunMeta& meta, std::span<const Variant> variants = {},
                                   const FitOf& fit = {});
inline constexpr int64_t kKnownRuns = 50;

}  // namespace assay
