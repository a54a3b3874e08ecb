#pragma once

#include <functional>
#include <string>

#include "model/options.h"
#include "run/runner.h"
#include "run/session.h"
#include "store/run_dir.h"

namespace assay {

/// What a caller wants to hear while a run goes on. Any may be empty.
struct MeasureHooks {
  OnNote note;
  OnProgress progress;
  /// The plan stands and is on the disk; the first call comes next.
  std::function<void(const RunMeta&)> planned;
};

/// A run that was carried out as far as it went.
struct Measured {
  std::string run_id;
  RunPaths paths;
  RunResult result;
};

/// Plans and carries out a run. Errors are those before the first call: kInvalidArgument,
/// kConflict (another run measures), kUnavailable (nothing to measure), kIo.
Result<Measured> measure(const RunSpec& spec, const MeasureHooks& hooks);

/// Finishes what an earlier session of the run left. `spec` gives data_dir and wait; the rest is
/// taken from the ledger. kConflict when the run still goes on; kInvalidArgument when it is
/// complete.
Result<Measured> resume_run(const RunSpec& spec, const std::string& run_name,
                            const MeasureHooks& hooks);

/// What the ledger says is left of its plan. Final records count where they fit the planned call in
/// cell, prompt hash, settings hash, phase, run index and concurrency.
Remaining remaining_calls(const LedgerContent& ledger, const std::set<int64_t>& started);

}  // namespace assay
