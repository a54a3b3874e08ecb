#pragma once

#include "stats/compare.h"

namespace assay {

/// Gives each row the marks of the legs that its figures come from, a side's each. Marks of speeds
/// that heat or a fault changed follow them into a comparison.
void add_compared_marks(const ComparedRun& base, const ComparedRun& now, RunComparison& comparison);

}  // namespace assay
