#pragma once

#include <cstdint>
#include <filesystem>

#include "archive/private_text.h"
#include "base/result.h"

namespace assay {

struct CatalogueCounts {
  int64_t runs = 0;
  int64_t reliable = 0;
  int64_t meta_only = 0;  ///< Runs of which the archive has no ledger.
};

/// Writes `catalogue.json` anew from every `runs/<id>/metadata.json` of the archive, oldest run
/// first: equal archives give equal bytes. kProtocol names metadata that cannot be read.
Result<CatalogueCounts> write_catalogue(const std::filesystem::path& archive);

/// Adds the names and versions that the archive's runs state, so that they pass for what they are.
void add_public_names(const std::filesystem::path& archive, Privacy& privacy);

/// Writes what an archive needs beside its runs where it is missing: README.md, methodology.md
/// with the definition of every metric, and LICENSE (CC BY 4.0, by its address). Files that are
/// there are left as they are.
Result<void> write_archive_texts(const std::filesystem::path& archive);

}  // namespace assay
