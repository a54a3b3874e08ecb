#pragma once

#include <cstdint>
#include <filesystem>
#include <functional>
#include <map>
#include <optional>
#include <span>
#include <string>

#include "base/result.h"

namespace assay {

/// Called about once a megabyte with the bytes read so far. False stops the reading.
using DigestProgress = std::function<bool(int64_t done_bytes)>;

/// SHA-256 of a file's bytes, as 64 hex digits. kCancelled when `progress` said so, kNotFound, kIo.
Result<std::string> file_sha256(const std::filesystem::path& path, const DigestProgress& progress);

/// The digest of a model: that of its one file, or the SHA-256 of its parts' digests, one a line.
std::string set_digest(std::span<const std::string> parts);

/// Digests by path, size and time of the last change, so that a file is read once. One thread.
class DigestCache {
 public:
  /// Reads `<data>/digests.json`. Anything unreadable is an empty cache.
  static DigestCache load(const std::filesystem::path& data_dir);

  /// Absent when the file is not known as it is now.
  [[nodiscard]] std::optional<std::string> find(const std::filesystem::path& path) const;
  /// Keeps a digest of the file as it is now. What cannot be written only costs time later.
  void keep(const std::filesystem::path& path, const std::string& digest);

 private:
  struct Entry {
    int64_t bytes = 0;
    int64_t mtime_ns = 0;
    std::string sha256;
  };
  static std::optional<Entry> entry_of(const std::filesystem::path& path);
  void save();

  std::filesystem::path file_;
  std::map<std::string, Entry> entries_;
};

}  // namespace assay
