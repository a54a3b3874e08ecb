#pragma once

#include <vector>

#include "model/run.h"
#include "stats/legs.h"

namespace assay {

/// A mark `off_reference` for each reference of a cell that the median of a warm or measured leg,
/// one call at a time, lies farther from than its tolerance. A metric that the leg does not have is
/// not judged.
std::vector<LegMark> off_references(const Cell& cell, const LegResult& leg);

}  // namespace assay
