#pragma once

#include <filesystem>

#include "base/result.h"

namespace assay {

/// How much of a file is in the kernel's page cache, 0 to 1. kNotFound when there is no such file
/// or it is empty, kUnavailable where the kernel does not tell: it does for files that we may
/// write.
Result<double> page_cache_share(const std::filesystem::path& path);

}  // namespace assay
