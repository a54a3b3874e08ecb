#pragma once

#include <string>
#include <string_view>

namespace assay {

/// A model's identity: the SHA-1, in 40 hex digits, of its path below the scanned directory with
/// the letters A to Z in lower case and `/` between its parts. In front of the path stands the name
/// of the place, such as `ollama/`, save for directories that a person named. Where the directory
/// lies does not matter, and neither does what the file holds.
std::string model_fingerprint(std::string_view place, std::string_view relative_path);

}  // namespace assay
