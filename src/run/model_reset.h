#pragma once

#include <cstdint>
#include <filesystem>
#include <string>
#include <vector>

#include "base/result.h"
#include "store/index.h"
#include "store/state.h"

namespace assay {

/// Runs in which a model was measured, and what a reset of the model does to each.
struct ModelRuns {
  struct Kept {
    RunRow run;
    std::string why;  ///< What holds it: it is a baseline, or published.
  };
  struct Shared {
    RunRow run;                 ///< It measured other models too.
    std::vector<int64_t> legs;  ///< Those of this model that are not marked `invalid` yet.
  };
  std::vector<RunRow> own;  ///< Nothing else was measured in them: they are deleted.
  std::vector<Kept> kept;
  std::vector<Shared> shared;

  [[nodiscard]] bool changes_nothing() const { return own.empty() && shared.empty(); }
};

/// The runs with a cell of that fingerprint that was measured, newest first. Cells whose file of
/// weights was not known then are nobody's. Ledgers that cannot be read are passed over.
Result<ModelRuns> runs_of_model(RunIndex& index, const State& state,
                                const std::string& fingerprint);

/// Deletes the model's own runs, marks its legs in shared ones `invalid`, and writes that to the
/// state. Runs that are held stay as they are. kConflict while one of them is being written; what
/// was deleted before that stays deleted, and is in the state.
Result<void> reset_model(const std::filesystem::path& data_dir, RunIndex& index,
                         const std::string& fingerprint, const ModelRuns& runs);

}  // namespace assay
