#pragma once

#include <filesystem>

#include "registry/registered_model.h"

namespace assay {

/// What a file is together with those beside it: the model that it is a part of, with its
/// projector. What is wrong is the model's state and reason, as with describe_model(). Flags and
/// the fingerprint stay unset. Reads the headers of all model files of the folder.
RegisteredModel describe_file(const std::filesystem::path& file);

}  // namespace assay
