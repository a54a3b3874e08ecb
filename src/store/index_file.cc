#include "store/index_file.h"

#include <SQLiteCpp/SQLiteCpp.h>
#include <fcntl.h>
#include <fmt/format.h>
#include <sqlite3.h>
#include <sys/file.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <chrono>
#include <system_error>
#include <thread>
#include <utility>

#include "base/clock.h"
#include "base/files.h"
#include "store/append_file.h"
#include "store/index_tables.h"
#include "store/remove_run.h"
#include "store/run_dir.h"

namespace assay {
namespace {

namespace fs = std::filesystem;

constexpr int kBusyTimeoutMs = 5000;
constexpr Nanos kRebuildTurn = std::chrono::seconds(60);
constexpr std::chrono::milliseconds kTurnPoll{50};
/// Files SQLite keeps beside a database.
constexpr std::array<const char*, 2> kCompanions{"-wal", "-shm"};

fs::path with_suffix(const fs::path& path, std::string_view suffix) {
  return fs::path(path.string() + std::string(suffix));
}

/// One process rebuilds at a time: two would rename over each other's half-used file.
Result<Fd> take_rebuild_turn(const fs::path& data_dir) {
  const fs::path path = data_dir / "index.lock";
  Fd fd(::open(path.c_str(), O_RDWR | O_CREAT | O_CLOEXEC, 0644));
  if (!fd.valid()) {
    return fail(Errc::kIo, fmt::format("cannot open {}: {}", path.string(), errno_text(errno)));
  }
  const MonoNs start = mono_now_ns();
  while (::flock(fd.get(), LOCK_EX | LOCK_NB) != 0) {
    if (errno != EWOULDBLOCK && errno != EINTR) {
      return fail(Errc::kIo, fmt::format("cannot lock {}: {}", path.string(), errno_text(errno)));
    }
    if (Nanos(mono_now_ns() - start) > kRebuildTurn) {
      return fail(Errc::kTimeout, "another process has been rebuilding the index for a minute");
    }
    std::this_thread::sleep_for(kTurnPoll);
  }
  return fd;
}

void remove_with_companions(const fs::path& path) {
  std::error_code ignored;
  for (const char* suffix : kCompanions) fs::remove(with_suffix(path, suffix), ignored);
  fs::remove(path, ignored);
}

/// Moves a corrupt index aside with its companions, so that it can be looked at.
Result<std::string> quarantine(const fs::path& path) {
  std::string utc = utc_text(wall_now_ns());
  std::erase_if(utc, [](char c) { return c == '-' || c == ':'; });
  const fs::path kept = with_suffix(path, ".corrupt-" + utc);
  std::error_code error;
  fs::rename(path, kept, error);
  if (error) {
    return fail(Errc::kIo,
                fmt::format("cannot rename the corrupt {}: {}", path.string(), error.message()));
  }
  for (const char* suffix : kCompanions) {
    fs::rename(with_suffix(path, suffix), with_suffix(kept, suffix), error);
  }
  return fmt::format("the index was corrupt; it is kept as {} and was made anew from the ledgers",
                     kept.filename().string());
}

/// Fills a new database file from the ledgers and the state.
Result<IndexReport> build(const fs::path& data_dir, const fs::path& path) {
  IndexReport report;
  const auto ids = living_run_ids(data_dir, report.notes);
  if (!ids) return fail(ids.error());
  SQLite::Database db(path.string(),
                      SQLite::OPEN_READWRITE | SQLite::OPEN_CREATE | SQLite::OPEN_NOMUTEX);
  // Nobody sees this file before it is whole and synced, so a crash only leaves it to be removed.
  db.exec("PRAGMA synchronous = OFF");
  db.exec("PRAGMA journal_mode = MEMORY");
  db.exec("PRAGMA locking_mode = EXCLUSIVE");
  create_tables(db);
  {
    IndexInserter inserter(db);
    for (const std::string& id : *ids) {
      if (auto done = inserter.replace_run(data_dir, id, report); !done) {
        add_note(report, done.error().message);
      }
    }
  }
  create_calls_index(db);
  // Set here, where nobody else can hold the file: switching a shared one may find it busy.
  db.exec("PRAGMA journal_mode = WAL");
  return report;
}

Result<void> sync_file(const fs::path& path) {
  const Fd fd(::open(path.c_str(), O_RDONLY | O_CLOEXEC));
  if (!fd.valid() || ::fsync(fd.get()) != 0) {
    return fail(Errc::kIo, fmt::format("cannot sync {}: {}", path.string(), errno_text(errno)));
  }
  return {};
}

/// Puts a whole new index in the place of the old one.
Result<void> put_in_place(const fs::path& fresh, const fs::path& path) {
  if (auto synced = sync_file(fresh); !synced) return synced;
  // An old write-ahead log beside a new file would be replayed into it.
  std::error_code error;
  for (const char* suffix : kCompanions) fs::remove(with_suffix(path, suffix), error);
  fs::rename(fresh, path, error);
  if (error) {
    return fail(Errc::kIo, fmt::format("cannot rename to {}: {}", path.string(), error.message()));
  }
  return sync_directory(path.parent_path());
}

IndexState examine_open(SQLite::Database& db, bool whole) {
  const int version = db.execAndGet("PRAGMA user_version").getInt();
  if (version > kIndexSchema) return IndexState::kNewer;
  if (version < kIndexSchema) return IndexState::kOlder;
  if (!db.tableExists("runs") || !db.tableExists("calls")) return IndexState::kCorrupt;
  SQLite::Statement made(db, "SELECT sql FROM sqlite_master WHERE name = 'calls'");
  if (!made.executeStep() || made.getColumn(0).getString() != calls_table_sql()) {
    return IndexState::kOlder;
  }
  if (whole && db.execAndGet("PRAGMA quick_check(1)").getString() != "ok") {
    return IndexState::kCorrupt;
  }
  return IndexState::kCurrent;
}

}  // namespace

fs::path index_path(const fs::path& data_dir) { return data_dir / "index.db"; }

bool is_corruption(const SQLite::Exception& exception) {
  return exception.getErrorCode() == SQLITE_CORRUPT || exception.getErrorCode() == SQLITE_NOTADB;
}

Error index_error(const SQLite::Exception& exception, const fs::path& path) {
  const int code = exception.getErrorCode();
  const bool busy = code == SQLITE_BUSY || code == SQLITE_LOCKED;
  return {busy ? Errc::kTimeout : Errc::kIo,
          fmt::format("the index {} cannot be used: {}", path.string(), exception.what()),
          busy ? "another process is using it; try again" : ""};
}

Error newer_index_error(const fs::path& path) {
  return {Errc::kInvalidArgument,
          fmt::format("{} was made by a newer version of assay (this one knows schema {})",
                      path.string(), kIndexSchema),
          "use the newer version, or delete the file: it is made anew from the ledgers"};
}

Result<IndexState> examine_index(const fs::path& path, bool whole) {
  std::error_code error;
  const auto size = fs::file_size(path, error);
  if (error == std::errc::no_such_file_or_directory) return IndexState::kMissing;
  if (error) {
    return fail(Errc::kIo, fmt::format("cannot read {}: {}", path.string(), error.message()));
  }
  if (size == 0) return IndexState::kMissing;
  try {
    SQLite::Database db(path.string(), SQLite::OPEN_READWRITE | SQLite::OPEN_NOMUTEX,
                        kBusyTimeoutMs);
    return examine_open(db, whole);
  } catch (const SQLite::Exception& exception) {
    if (is_corruption(exception)) return IndexState::kCorrupt;
    return fail(index_error(exception, path));
  }
}

std::unique_ptr<SQLite::Database> open_index(const fs::path& path) {
  auto db = std::make_unique<SQLite::Database>(
      path.string(), SQLite::OPEN_READWRITE | SQLite::OPEN_NOMUTEX, kBusyTimeoutMs);
  db->exec("PRAGMA journal_mode = WAL");
  db->exec("PRAGMA synchronous = NORMAL");
  return db;
}

Result<IndexReport> rebuild_index(const fs::path& data_dir, Rebuild when, bool whole) {
  if (auto made = make_directories(data_dir); !made) return fail(made.error());
  const auto turn = take_rebuild_turn(data_dir);
  if (!turn) return fail(turn.error());
  const fs::path path = index_path(data_dir);
  const auto state = examine_index(path, whole);
  if (!state) return fail(state.error());
  if (*state == IndexState::kNewer) return fail(newer_index_error(path));
  if (*state == IndexState::kCurrent && when == Rebuild::kUnlessCurrent) return IndexReport{};

  const fs::path fresh = with_suffix(path, ".new");
  remove_with_companions(fresh);
  try {
    auto report = build(data_dir, fresh);
    const bool damaged = *state == IndexState::kCorrupt ||
                         (when == Rebuild::kDamaged && *state == IndexState::kCurrent);
    if (report && damaged) {
      auto note = quarantine(path);
      if (!note) return fail(note.error());
      report->notes.insert(report->notes.begin(), std::move(*note));
    }
    if (report) {
      if (auto put = put_in_place(fresh, path); !put) return fail(put.error());
    }
    return report;
  } catch (const SQLite::Exception& exception) {
    remove_with_companions(fresh);
    return fail(index_error(exception, fresh));
  }
}

}  // namespace assay
