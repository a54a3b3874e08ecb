#pragma once

#include <filesystem>

#include "model/options.h"
#include "run/session.h"
#include "supervise/detached.h"

namespace assay {

/// Loads a model into an engine of ours that outlives this process, and waits until it is ready.
/// SIGINT and SIGTERM stop it: kCancelled, as when it was unloaded meanwhile. Every other failure
/// leaves a record of the failed engine. kConflict when a model of that name is loaded,
/// and those of model_file_at().
Result<DetachedEngine> load_model(const RunSpec& spec, const std::filesystem::path& data_dir,
                                  const std::filesystem::path& gguf, const OnNote& note);

}  // namespace assay
