#pragma once

#include <string>
#include <string_view>

#include "model/run.h"

namespace assay {

/// What the version of the bundled engine begins with. It speaks llama-server's dialect.
inline constexpr std::string_view kBundledVersion = "node-llama-cpp";

/// What people call the engine of a cell: its kind, or `bundled`.
inline std::string engine_name(const Cell& cell) {
  return cell.version.starts_with(kBundledVersion) ? "bundled" : cell.kind;
}

}  // namespace assay
