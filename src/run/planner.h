#pragma once

#include <cstdint>
#include <optional>
#include <span>

#include "base/result.h"
#include "model/options.h"
#include "model/run.h"
#include "run/plan_builder.h"
#include "run/variants.h"

namespace assay {

/// The context that the plan's longest call needs, for engines that size it per call; absent when
/// nothing is known before.
std::optional<int64_t> needed_context(const RunSpec& spec);

/// Whether the plan needs the cells' estimates: lengths in tokens have to be met.
bool needs_estimates(const RunSpec& spec);

/// Expands a specification to the calls of `meta.cells`: fills prompts, legs, calls, suite and
/// notes. Calls of a round come in an order drawn from the seed. With variants the cells are
/// theirs, one each and in their order; under --ab the plan is interleaved. Each level of
/// --max-concurrency has legs of its own. A leg whose settings the cell's engine has
/// no way to take is skipped, with their names. Pure: the same arguments give the same plan.
/// kNotFound or kInvalidArgument for the suite.
Result<void> make_plan(const RunSpec& spec, RunMeta& meta, std::span<const Variant> variants = {},
                       const FitOf& fit = {});

/// Seconds that a cell's plan should take by its estimates; absent when unknown.
std::optional<double> predicted_seconds(const RunMeta& meta, int64_t cell);

}  // namespace assay
