#pragma once

#include <vector>

#include "model/run.h"

namespace assay {

/// Puts the calls of several cells, planned one cell after the other, side by side: round by round,
/// each cell's in turn, every second round backwards (ABBA), so that what drifts hits all alike.
/// Stages belong together by their order within a restart.
void interleave_cells(RunMeta& meta);

}  // namespace assay
