#include "store/index.h"

#include <SQLiteCpp/SQLiteCpp.h>
#include <fmt/format.h>
#include <sys/stat.h>

#include <algorithm>
#include <map>
#include <utility>

#include "base/text.h"
#include "store/append_file.h"
#include "store/index_file.h"
#include "store/index_tables.h"
#include "store/remove_run.h"
#include "store/run_dir.h"

namespace assay {
namespace {

namespace fs = std::filesystem;

constexpr size_t kMinPrefix = 6;
constexpr int64_t kMaxCandidates = 8;
constexpr std::string_view kNewestFirst =
    " ORDER BY started_wall_ns DESC, started_at_utc DESC, run_id DESC";

/// Which file a path names now; 0 when none.
uint64_t inode_of(const fs::path& path) {
  struct stat status {};
  return ::stat(path.c_str(), &status) == 0 ? status.st_ino : 0;
}

std::string candidates_text(const std::vector<RunRow>& rows) {
  std::string text;
  for (const RunRow& row : rows) {
    text += fmt::format("{}{} ({})", text.empty() ? "" : ", ", row.run_id, row.started_at_utc);
  }
  return text;
}

}  // namespace

struct RunIndex::Impl {
  fs::path data_dir;
  fs::path path;
  std::unique_ptr<SQLite::Database> db;
  uint64_t inode = 0;  ///< Of the file `db` has open.
  std::vector<std::string> notes;

  void open_file() {
    db.reset();
    db = open_index(path);
    inode = inode_of(path);
  }

  Result<void> repair(Rebuild when, bool whole) {
    db.reset();
    auto report = rebuild_index(data_dir, when, whole);
    if (!report) return fail(report.error());
    for (std::string& note : report->notes) {
      if (notes.size() < kMaxIndexNotes) notes.push_back(std::move(note));
    }
    return {};
  }

  /// Runs `use` on the database. When that shows corruption, repairs the index and runs it again;
  /// when another process put a new index in place, opens that one first.
  template <class T, class F>
  Result<T> with_database(F&& use) {
    for (int attempt = 1;; ++attempt) {
      try {
        if (!db || inode_of(path) != inode) {
          if (auto repaired = repair(Rebuild::kUnlessCurrent, false); !repaired) {
            return fail(repaired.error());
          }
          open_file();
        }
        return use(*db);
      } catch (const SQLite::Exception& exception) {
        if (!is_corruption(exception) || attempt > 1) return fail(index_error(exception, path));
      }
      // Unless somebody else has put a new one in place since.
      const Rebuild when = inode_of(path) == inode ? Rebuild::kDamaged : Rebuild::kUnlessCurrent;
      if (auto repaired = repair(when, false); !repaired) return fail(repaired.error());
    }
  }

  Result<std::vector<RunRow>> select(const std::string& where,
                                     const std::vector<std::string>& texts, int64_t limit,
                                     int64_t offset) {
    return with_database<std::vector<RunRow>>([&](SQLite::Database& database) {
      SQLite::Statement rows(
          database, fmt::format("SELECT {} FROM runs {}{} LIMIT {} OFFSET {}", run_columns(), where,
                                kNewestFirst, limit, offset));
      int at = 0;
      for (const std::string& text : texts) rows.bind(++at, text);
      std::vector<RunRow> found;
      while (rows.executeStep()) found.push_back(read_run_row(rows));
      return found;
    });
  }

  IndexReport sync_with(SQLite::Database& database, const std::vector<std::string>& ids);
};

namespace {

struct Indexed {
  LedgerStamp stamp;
  bool running = false;
};

std::map<std::string, Indexed> indexed_runs(SQLite::Database& db) {
  std::map<std::string, Indexed> known;
  SQLite::Statement rows(db, "SELECT run_id, ledger_bytes, ledger_mtime_ns, state FROM runs");
  while (rows.executeStep()) {
    known[rows.getColumn(0).getString()] = {
        {rows.getColumn(1).getInt64(), rows.getColumn(2).getInt64()},
        rows.getColumn(3).getString() == "running"};
  }
  return known;
}

/// A crashed run's ledger no longer changes, but `running` is no longer true.
bool is_up_to_date(const Indexed& indexed, const fs::path& ledger) {
  const auto stamp = ledger_stamp(ledger);
  return stamp && *stamp == indexed.stamp && (!indexed.running || is_being_written(ledger));
}

}  // namespace

IndexReport RunIndex::Impl::sync_with(SQLite::Database& database,
                                      const std::vector<std::string>& ids) {
  IndexReport report;
  IndexInserter inserter(database);
  std::map<std::string, Indexed> known = indexed_runs(database);
  for (const std::string& id : ids) {
    const auto before = known.find(id);
    const bool current =
        before != known.end() && is_up_to_date(before->second, run_paths(data_dir, id).ledger);
    if (!current) {
      if (auto done = inserter.replace_run(data_dir, id, report); !done) {
        add_note(report, done.error().message);
      }
    }
    known.erase(id);
  }
  for (const auto& [id, stamp] : known) {
    SQLite::Transaction transaction(database, SQLite::TransactionBehavior::IMMEDIATE);
    if (delete_run_rows(database, id)) ++report.removed;
    transaction.commit();
  }
  return report;
}

RunIndex::RunIndex(std::unique_ptr<Impl> impl) : impl_(std::move(impl)) {}
RunIndex::RunIndex(RunIndex&&) noexcept = default;
RunIndex& RunIndex::operator=(RunIndex&&) noexcept = default;
RunIndex::~RunIndex() = default;

Result<RunIndex> RunIndex::open(const fs::path& data_dir, Check check) {
  auto impl = std::make_unique<Impl>();
  impl->data_dir = data_dir;
  impl->path = index_path(data_dir);
  const bool whole = check == Check::kWholeFile;
  const auto state = examine_index(impl->path, whole);
  if (!state) return fail(state.error());
  if (*state == IndexState::kNewer) return fail(newer_index_error(impl->path));
  if (*state != IndexState::kCurrent) {
    if (auto made = impl->repair(Rebuild::kUnlessCurrent, whole); !made) return fail(made.error());
  }
  auto opened = impl->with_database<bool>([](SQLite::Database&) { return true; });
  if (!opened) return fail(opened.error());
  return RunIndex(std::move(impl));
}

Result<IndexReport> RunIndex::sync() {
  std::vector<std::string> notes;
  const auto ids = living_run_ids(impl_->data_dir, notes);
  if (!ids) return fail(ids.error());
  auto report = impl_->with_database<IndexReport>(
      [&](SQLite::Database& db) { return impl_->sync_with(db, *ids); });
  for (size_t i = 0; report && i < notes.size(); ++i) add_note(*report, std::move(notes[i]));
  return report;
}

Result<std::vector<RunRow>> RunIndex::list_runs(const RunFilter& filter) {
  std::string where = "WHERE 1";
  std::vector<std::string> texts;
  const auto require = [&](std::string_view condition, const std::string& text) {
    if (text.empty()) return;
    where += condition;
    texts.push_back(text);
  };
  require(" AND state = ?", filter.state);
  require(" AND suite = ?", filter.suite);
  require(" AND host = ?", filter.host);
  require(" AND EXISTS (SELECT 1 FROM json_each(cells) WHERE instr(value, ?))", filter.cell);
  return impl_->select(where, texts, std::max<int64_t>(0, filter.limit),
                       std::max<int64_t>(0, filter.offset));
}

Result<std::set<int64_t>> RunIndex::answered_legs(const std::string& run_id,
                                                  const std::string& cell_id) {
  return impl_->with_database<std::set<int64_t>>([&](SQLite::Database& database) {
    SQLite::Statement query(database,
                            "SELECT DISTINCT leg FROM calls WHERE benchmark_run_id = ? AND "
                            "cell_id = ? AND \"final\" AND outcome = 'ok'");
    query.bind(1, run_id);
    query.bind(2, cell_id);
    std::set<int64_t> legs;
    while (query.executeStep()) legs.insert(query.getColumn(0).getInt64());
    return legs;
  });
}

Result<RunRow> RunIndex::find_run(std::string_view name) {
  if (name == "last") {
    auto newest = impl_->select("", {}, 1, 0);
    if (!newest) return fail(newest.error());
    if (newest->empty()) return fail(Errc::kNotFound, "there are no runs yet");
    return std::move(newest->front());
  }
  const std::string prefix = to_lower(name);
  auto found = impl_->select("WHERE substr(lower(run_id), 1, length(?1)) = ?1", {prefix},
                             kMaxCandidates + 1, 0);
  if (!found) return fail(found.error());
  const std::string shown = printable(name, 64);
  if (prefix.size() < kMinPrefix) {
    found->resize(std::min<size_t>(found->size(), kMaxCandidates));
    return fail(Errc::kInvalidArgument,
                fmt::format("'{}' is too short for a run: at least {} characters of its id", shown,
                            kMinPrefix),
                found->empty() ? "" : "it begins " + candidates_text(*found));
  }
  if (found->size() == 1) return std::move(found->front());
  for (RunRow& row : *found) {
    if (to_lower(row.run_id) == prefix) return std::move(row);
  }
  if (found->empty()) {
    const auto newest = impl_->select("", {}, 3, 0);
    if (!newest) return fail(newest.error());
    return fail(Errc::kNotFound, fmt::format("no run's id begins with '{}'", shown),
                newest->empty() ? "there are no runs yet"
                                : "the newest runs are " + candidates_text(*newest));
  }
  const bool more = found->size() > kMaxCandidates;
  found->resize(std::min<size_t>(found->size(), kMaxCandidates));
  return fail(Errc::kInvalidArgument,
              fmt::format("'{}' fits several runs: {}{}", shown, candidates_text(*found),
                          more ? " and others" : ""),
              "give more characters of the id");
}

Result<void> RunIndex::remove_run(std::string_view run_id) {
  const auto removed = impl_->with_database<bool>([&](SQLite::Database& db) {
    SQLite::Transaction transaction(db, SQLite::TransactionBehavior::IMMEDIATE);
    const bool was_there = delete_run_rows(db, std::string(run_id));
    transaction.commit();
    return was_there;
  });
  if (!removed) return fail(removed.error());
  if (!*removed) {
    return fail(Errc::kNotFound, fmt::format("there is no run {}", printable(run_id, 64)));
  }
  return {};
}

std::vector<std::string> RunIndex::take_notes() { return std::exchange(impl_->notes, {}); }

Result<IndexReport> reindex(const fs::path& data_dir) {
  return rebuild_index(data_dir, Rebuild::kAlways, true);
}

Result<IndexReport> sync_index(const fs::path& data_dir) {
  auto index = RunIndex::open(data_dir);
  if (!index) return fail(index.error());
  auto report = index->sync();
  if (!report) return report;
  for (std::string& note : index->take_notes()) add_note(*report, std::move(note));
  return report;
}

}  // namespace assay
