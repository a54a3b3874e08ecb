#pragma once

#include <vector>

#include "base/result.h"
#include "model/options.h"
#include "model/run.h"
#include "run/session.h"
#include "run/variants.h"

namespace assay {

/// Opens the cells of a run, or of each variant of --ab its one. Of a matrix of settings `variants`
/// becomes the combination of each cell.
Result<void> open_run(Session& session, const RunSpec& spec, std::vector<Variant>& variants,
                      const OnNote& note);

/// The options as a ledger keeps them: model files, their directories and programs are found from
/// any folder. The directories are of those runs alone that measure files in them.
RunSpec to_record(RunSpec spec, const std::vector<Cell>& cells);

/// The options that a run was started with; data_dir, wait and output are the caller's.
Result<RunSpec> recorded_spec(const RunMeta& meta, const RunSpec& caller);

/// Puts the engines behind the cells of a ledger. kConflict where this machine offers others than
/// then, or they load differently; kUnavailable where one does not answer any more.
Result<void> reopen_cells(Session& session, const RunSpec& spec, const RunMeta& meta,
                          const OnNote& note);

/// An engine of ours that could not be started.
Error not_loaded(const Cell& cell);

}  // namespace assay
