#pragma once

#include <cstdint>
#include <vector>

#include "model/run.h"

namespace assay {

/// Each measured stage of the plan once at every level of concurrency, in their order, with legs of
/// their own; never more at once than a leg has calls. Skipped legs and all others stay single.
/// Nothing changes where there is one level.
void repeat_for_levels(const std::vector<int64_t>& levels, RunMeta& meta);

/// Each cell's calls `restarts` times over, one load of the model after the other. Skipped legs
/// stay one line each.
void repeat_for_restarts(int64_t restarts, RunMeta& meta);

}  // namespace assay
