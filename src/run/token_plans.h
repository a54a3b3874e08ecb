#pragma once

#include <cstdint>

#include "model/options.h"
#include "model/run.h"
#include "run/plan_builder.h"

namespace assay {

/// Tokens before the answer in the speed suite's leg at depth.
inline constexpr int64_t kSpeedDepth = 4096;

/// The calls of one cell by prompts of a given length in tokens: those of the speed suite, as many
/// as its part of the time budget, in seconds, allows.
void plan_speed_cell(const RunSpec& spec, RunMeta& meta, int64_t index, double budget_s,
                     PlanBuilder& plan);
/// Those of --input-len, --output-len and --depth.
void plan_synthetic_cell(const RunSpec& spec, RunMeta& meta, int64_t index, PlanBuilder& plan);

}  // namespace assay
