#pragma once

#include <cstdint>
#include <filesystem>
#include <map>
#include <string>
#include <vector>

#include "archive/private_text.h"
#include "archive/redaction.h"
#include "base/result.h"

namespace assay {

/// One run's public files in a folder.
struct Package {
  std::string run_id;
  std::filesystem::path folder;
  Privacy privacy;  ///< What the folder's files have to be free of.
  std::vector<std::string> unreliable;
  std::map<std::string, int64_t, std::less<>> replaced;  ///< How often, by alias.
  int64_t left_out_lines = 0;                            ///< Of the ledger: damaged or unknown.
};

/// Makes the public form of a run in `folder`, which must exist: `run.jsonl`, `run.log`, `run.md`,
/// `run.html` and `metadata.json`, equal bytes for equal runs and aliases. Answers and
/// `environment_raw.json` stay where they are. Aliases that the run suggests are added to
/// `aliases`. kConflict when the run lacks what tells what was measured: it is kept and not
/// published. kIo, kProtocol.
Result<Package> package_run(const std::filesystem::path& ledger, Aliases aliases,
                            const std::filesystem::path& folder);

}  // namespace assay
