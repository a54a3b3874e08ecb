#pragma once

#include <cstddef>
#include <filesystem>
#include <set>

namespace assay {

/// A process and those that descend from it, as /proc tells; at most kMostInFamily.
std::set<int> process_family(const std::filesystem::path& proc, int first);
inline constexpr size_t kMostInFamily = 64;

}  // namespace assay
