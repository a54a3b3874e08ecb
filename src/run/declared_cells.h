#pragma once

#include <vector>

#include "model/options.h"
#include "run/cells_file.h"
#include "run/session.h"

namespace assay {

/// Asks every declared cell's server within one second, side by side, and fills `session.cells` in
/// the file's order; a cell that cannot be measured is there with its reason. Where `routed`, each
/// cell with a route is followed by one that goes by it, with `+routed` behind its node.
/// kInvalidArgument for the key file.
Result<void> open_declared_cells(Session& session, const RunSpec& spec,
                                 const std::vector<DeclaredCell>& declared, bool routed);

/// Puts engines behind the cells of a ledger that came from a file of cells. kUnavailable names one
/// that does not answer any more.
Result<void> reopen_declared_cells(Session& session, const RunSpec& spec,
                                   const std::vector<Cell>& cells);

}  // namespace assay
