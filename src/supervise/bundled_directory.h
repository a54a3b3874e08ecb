#pragma once

#include <filesystem>

#include "base/result.h"

namespace assay {

/// Where the bundled engine's files are: `$ASSAY_ENGINE_DIR`, else `engine` beside the program,
/// above it or in the source tree. kNotFound says how to install it.
Result<std::filesystem::path> find_engine_directory();

}  // namespace assay
