#pragma once

#include <filesystem>
#include <functional>
#include <map>
#include <string>
#include <vector>

#include "archive/catalogue.h"
#include "archive/gate.h"
#include "archive/redaction.h"
#include "base/result.h"

namespace assay {

struct PublishRequest {
  std::vector<std::filesystem::path> ledgers;
  std::filesystem::path archive;  ///< Made when it is missing.
  Aliases aliases;
  bool dry_run = false;                          ///< Everything but the archive's change.
  std::function<void(const std::string&)> note;  ///< One line for people; may be empty.
};

struct PublishedRun {
  std::string run_id;
  std::filesystem::path folder;
  bool was_there = false;  ///< With the same bytes.
  std::vector<std::string> unreliable;
  std::map<std::string, int64_t, std::less<>> replaced;  ///< How often, by alias.
};

struct PublishResult {
  std::vector<PublishedRun> runs;
  /// Not empty: something private was found, and the archive is as it was.
  GateResult gate;
  CatalogueCounts catalogue;
};

/// Packs runs into an archive that can be given away: `runs/<id>/…`, `catalogue.json`, texts.
/// Nothing is changed unless every file of the new packages and of the whole archive is free of
/// what is private. kConflict when a run lacks its identity, or is there with other bytes.
Result<PublishResult> publish(const PublishRequest& request);

}  // namespace assay
