#pragma once

#include <cstdint>
#include <vector>

#include "model/options.h"
#include "model/run.h"
#include "run/plan_builder.h"
#include "run/suites.h"

namespace assay {

/// What a specification asks of the calls with a prompt of the plan, which may have a length of
/// answer of its own.
CallSettings prompt_settings(const RunSpec& spec, const RunMeta& meta, int64_t prompt);

/// The calls of one cell by prompts that are given. Source 004's patterns, prompt by prompt: the
/// cold calls, then the warm ones, in turn directly and by the route, then the parallel ones.
void plan_baseline_cell(const RunSpec& spec, const std::vector<int64_t>& prompts,
                        const RunMeta& meta, int64_t index, PlanBuilder& plan);
/// Each prompt of a suite, in rounds.
void plan_suite_cell(const RunSpec& spec, const Suite& suite, const std::vector<int64_t>& prompts,
                     const RunMeta& meta, int64_t index, PlanBuilder& plan);
/// The one of --prompt.
void plan_prompt_cell(const RunSpec& spec, int64_t prompt, int64_t index, PlanBuilder& plan);

}  // namespace assay
