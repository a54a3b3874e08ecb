#pragma once

#include <filesystem>
#include <string>
#include <vector>

#include "base/result.h"
#include "importers/importer.h"
#include "store/run_dir.h"

namespace assay {

/// What to import, and what to say of it.
struct ImportRequest {
  std::filesystem::path file;  ///< `-` is standard input.
  std::string format;          ///< An importer's name; empty: by the file's shape.
  ImportHints hints;
  std::vector<std::string> labels;  ///< `key=value`
};

/// Reads a foreign result and makes a run of it, with an id of its own. Nothing is written. Errors
/// name the file.
Result<ImportedRun> read_import(const ImportRequest& request);

/// Writes it as a run: durable when this returns, and no part of it is left after an Error. The
/// index is brought up to date; when that cannot be done, a later command does it.
Result<RunPaths> store_import(const std::filesystem::path& data_dir, const ImportedRun& run);

}  // namespace assay
