#pragma once

#include <cstdint>
#include <filesystem>
#include <memory>
#include <string>

#include "base/result.h"
#include "store/index.h"

namespace SQLite {
class Database;
class Exception;
}  // namespace SQLite

namespace assay {

/// What stands at the index's path. kCorrupt: SQLite cannot read it, or it is no index.
enum class IndexState : uint8_t { kMissing, kCurrent, kOlder, kNewer, kCorrupt };

std::filesystem::path index_path(const std::filesystem::path& data_dir);

/// `whole` reads every page.
Result<IndexState> examine_index(const std::filesystem::path& path, bool whole);

/// Opens an index that examine_index() calls kCurrent: WAL, synchronous NORMAL, 5 s for a busy
/// file. Throws SQLite::Exception.
std::unique_ptr<SQLite::Database> open_index(const std::filesystem::path& path);

enum class Rebuild : uint8_t {
  kAlways,
  kDamaged,        ///< As kAlways; the old one is quarantined whatever its examination says.
  kUnlessCurrent,  ///< Another process may have repaired it while this one waited for its turn.
};
/// Makes the index anew from the ledgers, one process at a time; see reindex().
Result<IndexReport> rebuild_index(const std::filesystem::path& data_dir, Rebuild when, bool whole);

bool is_corruption(const SQLite::Exception& exception);
Error index_error(const SQLite::Exception& exception, const std::filesystem::path& path);
Error newer_index_error(const std::filesystem::path& path);

}  // namespace assay
