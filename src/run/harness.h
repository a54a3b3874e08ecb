#pragma once

#include <optional>
#include <vector>

#include "model/options.h"
#include "model/run.h"
#include "run/cells_file.h"
#include "run/session.h"

namespace assay {

/// Reads the file of cells that `spec` names and picks those it asks for; nothing without one.
struct Harness {
  std::vector<DeclaredCell> all;
  std::vector<DeclaredCell> selected;
};
Result<std::optional<Harness>> load_harness(const RunSpec& spec);

/// Fills `session.cells` from the file: asks the servers; of --smoke only the first that answers
/// stays. kUnavailable when none does; kInvalidArgument.
Result<void> open_harness(Session& session, const RunSpec& spec, const Harness& harness);

/// Records git's state and the checks in `meta`, and waits for a less busy machine where the rules
/// of a file of cells hold. kConflict says why the run must not begin: every reason, a line each.
Result<void> pass_preflight(const Session& session, const RunSpec& spec,
                            const std::optional<Harness>& harness, RunMeta& meta,
                            const OnNote& note);

}  // namespace assay
