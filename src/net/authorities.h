#pragma once

#include <filesystem>
#include <optional>

namespace assay {

/// The file of certificate authorities where one of the usual distributions keeps it, below `root`.
/// Absent when there is none that holds anything.
std::optional<std::filesystem::path> find_authorities(const std::filesystem::path& root = "/");

}  // namespace assay
