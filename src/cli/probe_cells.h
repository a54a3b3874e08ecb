#pragma once

#include "model/options.h"

namespace assay {

/// `assay run --cells-yaml FILE --probe`: which cells answer, on standard output. Nothing is
/// recorded. The exit code: 5 when none does.
int probe_cells(const RunSpec& spec);

}  // namespace assay
