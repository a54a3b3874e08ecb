#pragma once

#include <filesystem>
#include <string>
#include <string_view>

#include "registry/place.h"

namespace assay {

/// A model's identity: the SHA-1, in 40 hex digits, of its path below the scanned directory with
/// the letters A to Z in lower case and `/` between its parts. In front of the path stands the name
/// of the place, such as `ollama/`, save for directories that a person named. Where the directory
/// lies does not matter, and neither does what the file holds.
std::string model_fingerprint(std::string_view place, std::string_view relative_path);

/// The same of a model file, or the first of a set: below the first directory of `where` that holds
/// it, else below its own folder, as if a person had named that. Empty for one of Ollama's blobs,
/// whose names are those of manifests.
std::string file_fingerprint(const std::filesystem::path& file, const Surroundings& where);

}  // namespace assay
