#pragma once

#include <cstdint>
#include <string_view>

#include "base/result.h"

namespace assay {

/// Bytes of `8GB`, `500 MB`, `1.5GiB`, or of a bare number as GB. kInvalidArgument.
Result<int64_t> parse_size(std::string_view text);

/// Parameters of `7B`, `0.5b`, `350M`. kInvalidArgument.
Result<int64_t> parse_parameters(std::string_view text);

}  // namespace assay
