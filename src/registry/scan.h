#pragma once

#include <functional>
#include <string>
#include <vector>

#include "base/result.h"
#include "registry/content_digest.h"
#include "registry/registered_model.h"

namespace assay {

/// A directory that was looked at.
struct ScannedRoot {
  std::string place;
  std::filesystem::path path;
  std::vector<std::string> problems;  ///< What could not be looked at.
  bool scanned = false;               ///< Its listing is whole: what it lacks is gone.
};

/// Everything that lies in the known places now. Flags and models that are gone are not known here.
struct Scan {
  std::vector<ScannedRoot> roots;
  std::vector<RegisteredModel> models;  ///< By root, then by path.
};

/// Called before each model is read. One line.
using ScanProgress = std::function<void(const std::string&)>;

/// Looks through all places and reads the headers of what is there. Digests are taken from names
/// and the cache; see add_digests(). Directories that a person named and that are not there are a
/// problem of their root.
Scan scan_models(const Surroundings& where, const DigestCache& cache,
                 const ScanProgress& progress = {});

/// How far add_digests() is.
struct DigestsDone {
  const RegisteredModel* model = nullptr;
  int64_t done_bytes = 0;  ///< Of all files that have to be read.
  int64_t total_bytes = 0;
};

/// One pass reads no further model beyond so many bytes; the next goes on.
inline constexpr int64_t kMostDigestBytes = int64_t{64} << 30;

/// Computes the digests that are missing, of whole models, and keeps each in the cache as soon as
/// it is known: first of those that are as large as another, which may be the same. `progress` is
/// called about once a megabyte; false stops, which is kCancelled. Files that cannot be read stay
/// without, and so do models that would exceed `most_bytes`, save the first.
Result<void> add_digests(std::vector<RegisteredModel>& models, DigestCache& cache,
                         const std::function<bool(const DigestsDone&)>& progress = {},
                         int64_t most_bytes = kMostDigestBytes);

}  // namespace assay
