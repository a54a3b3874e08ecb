#pragma once

#include <filesystem>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/result.h"
#include "store/state.h"

namespace assay {

/// What keeps a run from being deleted: it is a baseline, or published. Absent when nothing does.
std::optional<Error> what_holds(const State& state, std::string_view run_id);

/// Deletes a run: first its tombstone is on the disk, then its directory goes. Whoever is killed in
/// between leaves files that no index shows; calling again deletes them. kConflict while the run is
/// being written, or when something holds it.
Result<void> remove_run(const std::filesystem::path& data_dir, const std::string& run_id,
                        const std::string& reason);

/// Ids of all runs with a ledger that were not removed, sorted; `notes` gets a sentence for each
/// that was, at most kMaxIndexNotes.
Result<std::vector<std::string>> living_run_ids(const std::filesystem::path& data_dir,
                                                std::vector<std::string>& notes);

}  // namespace assay
