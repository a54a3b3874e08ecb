#pragma once

#include <string>
#include <vector>

#include "model/run.h"

namespace assay {

/// Completes `known` with what `told` has; where both have it, what is told holds.
void complete_settings(const LaunchSettings& told, LaunchSettings& known);

/// Writes what a server said of a load into its cell.
void take_load(const CellLoad& load, Cell& cell);

/// Whether `cell` says all of that already.
bool knows_load(const Cell& cell, const CellLoad& load);

/// What a server did not heed of Cell::load_requested, in words: `context_length is 2048 instead of
/// 4096`, `kv_offload was refused`. Engines that were started here walk a ladder and tell it
/// themselves: empty.
std::vector<std::string> not_as_asked(const Cell& cell);

}  // namespace assay
