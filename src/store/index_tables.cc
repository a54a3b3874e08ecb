#include "store/index_tables.h"

#include <SQLiteCpp/SQLiteCpp.h>
#include <fmt/format.h>
#include <sys/stat.h>

#include <array>
#include <cerrno>
#include <nlohmann/json.hpp>
#include <optional>
#include <type_traits>
#include <utility>

#include "base/files.h"
#include "base/text.h"
#include "model/fields.h"
#include "store/append_file.h"
#include "store/ledger_scan.h"
#include "store/run_dir.h"

namespace assay {
namespace {

// ---- column types, from the C++ types ----

template <class T>
struct ColumnType {
  static constexpr std::string_view kText = std::is_floating_point_v<T> ? "REAL NOT NULL"
                                            : std::is_integral_v<T>     ? "INTEGER NOT NULL"
                                                                        : "TEXT NOT NULL";
};
template <class T>
struct ColumnType<std::optional<T>> {
  static constexpr std::string_view kText = std::is_floating_point_v<T> ? "REAL"
                                            : std::is_integral_v<T>     ? "INTEGER"
                                                                        : "TEXT";
};
template <class S>
struct ColumnType<Base64<S>> {
  static constexpr std::string_view kText = "BLOB NOT NULL";
};

/// Binds a record's fields to ?1, ?2, … without copying: the record outlives the step.
class FieldBinder {
 public:
  explicit FieldBinder(SQLite::Statement& statement) : statement_(statement) {}

  template <class T>
  void operator()(const char* /*name*/, const T& value) {
    ++at_;
    bind(value);
  }

 private:
  void bind(int64_t value) { statement_.bind(at_, value); }
  void bind(double value) { statement_.bind(at_, value); }
  void bind(bool value) { statement_.bind(at_, value ? 1 : 0); }
  void bind(const std::string& value) { statement_.bindNoCopy(at_, value); }
  void bind(const std::vector<std::string>& value) {
    if (value.empty()) {
      statement_.bindNoCopy(at_, "[]");
    } else {
      statement_.bind(at_, nlohmann::json(value).dump());
    }
  }
  template <class E>
    requires std::is_enum_v<E>
  void bind(E value) {
    statement_.bindNoCopy(at_, to_text(value).data());  // Names are literals, so they end in NUL.
  }
  template <class S>
  void bind(const Base64<S>& value) {
    statement_.bindNoCopy(at_, value.bytes.data(), static_cast<int>(value.bytes.size()));
  }
  template <class T>
  void bind(const std::optional<T>& value) {
    if (value) {
      bind(*value);
    } else {
      statement_.bind(at_);
    }
  }

  SQLite::Statement& statement_;
  int at_ = 0;
};

constexpr std::string_view kRunColumns =
    "run_id, started_at_utc, started_wall_ns, state, suite, cells, host, planned, ok, failed, "
    "skipped, wall_s, ledger_path, ledger_bytes, ledger_mtime_ns, source";

void count(RunRow& row, const CallRecord& record) {
  if (!record.final || record.index < 0) return;  // Below 0: beside the plan.
  if (record.outcome == Outcome::kOk) {
    ++row.ok;
  } else if (record.outcome == Outcome::kSkipped) {
    ++row.skipped;
  } else {
    ++row.failed;
  }
}

void describe(RunRow& row, const LedgerContent& ledger, bool is_running) {
  row.started_at_utc = ledger.meta.started_at_utc;
  row.started_wall_ns = ledger.meta.started_wall_ns;
  row.state = ledger.end ? ledger.end->state : (is_running ? "running" : "interrupted");
  row.suite = ledger.meta.suite;
  row.host = ledger.meta.host;
  if (ledger.meta.imported) row.source = ledger.meta.imported->tool;
  for (const Cell& cell : ledger.meta.cells) row.cells.push_back(cell.id);
  row.planned = static_cast<int64_t>(ledger.meta.calls.size());
  if (ledger.end) row.wall_s = ledger.end->wall_s;
}

void insert_run_row(SQLite::Statement& insert, const RunRow& row) {
  int at = 0;
  insert.bind(++at, row.run_id);
  insert.bind(++at, row.started_at_utc);
  insert.bind(++at, row.started_wall_ns);
  insert.bind(++at, row.state);
  insert.bind(++at, row.suite);
  insert.bind(++at, nlohmann::json(row.cells).dump());
  insert.bind(++at, row.host);
  insert.bind(++at, row.planned);
  insert.bind(++at, row.ok);
  insert.bind(++at, row.failed);
  insert.bind(++at, row.skipped);
  if (row.wall_s) {
    insert.bind(++at, *row.wall_s);
  } else {
    insert.bind(++at);
  }
  insert.bind(++at, row.ledger_path);
  insert.bind(++at, row.ledger_bytes);
  insert.bind(++at, row.ledger_mtime_ns);
  insert.bind(++at, row.source);
  insert.exec();
  insert.reset();
}

void note_damage(const LedgerContent& ledger, const std::string& run_id, IndexReport& report) {
  for (const std::string& line : ledger.damaged) {
    add_note(report, fmt::format("run {}: {}", run_id, line));
  }
  if (ledger.torn_lines > 0) {
    add_note(report, fmt::format("run {}: its last line is cut and was left out", run_id));
  }
  if (ledger.duplicates > 0) {
    add_note(report, fmt::format("run {}: {} second records of a call were left out", run_id,
                                 ledger.duplicates));
  }
}

}  // namespace

void create_tables(SQLite::Database& db) {
  db.exec(R"(CREATE TABLE runs (
    run_id TEXT PRIMARY KEY, started_at_utc TEXT NOT NULL, started_wall_ns INTEGER NOT NULL,
    state TEXT NOT NULL, suite TEXT NOT NULL, cells TEXT NOT NULL, host TEXT NOT NULL,
    planned INTEGER NOT NULL, ok INTEGER NOT NULL, failed INTEGER NOT NULL,
    skipped INTEGER NOT NULL, wall_s REAL, ledger_path TEXT NOT NULL,
    ledger_bytes INTEGER NOT NULL, ledger_mtime_ns INTEGER NOT NULL, source TEXT NOT NULL) WITHOUT ROWID)");
  db.exec(calls_table_sql());
  db.exec(fmt::format("PRAGMA user_version = {}", kIndexSchema));
}

std::string calls_table_sql() {
  std::string columns;
  const CallRecord record;
  visit_fields(record, [&](const char* name, const auto& value) {
    using Type = ColumnType<std::remove_cvref_t<decltype(value)>>;
    columns += fmt::format("{}\"{}\" {}", columns.empty() ? "" : ", ", name, Type::kText);
  });
  return fmt::format("CREATE TABLE calls ({})", columns);
}

void create_calls_index(SQLite::Database& db) {
  db.exec("CREATE INDEX calls_by_run ON calls (benchmark_run_id, \"index\")");
}

Result<LedgerStamp> ledger_stamp(const std::filesystem::path& ledger) {
  struct stat status {};
  if (::stat(ledger.c_str(), &status) != 0) {
    return fail(errno == ENOENT ? Errc::kNotFound : Errc::kIo,
                fmt::format("cannot read {}: {}", ledger.string(), errno_text(errno)));
  }
  return LedgerStamp{status.st_size,
                     int64_t{status.st_mtim.tv_sec} * 1'000'000'000 + status.st_mtim.tv_nsec};
}

IndexInserter::IndexInserter(SQLite::Database& db) : db_(db) {
  std::string parameters;
  const CallRecord record;
  visit_fields(record, [&](const char* /*name*/, const auto& /*value*/) {
    parameters += parameters.empty() ? "?" : ",?";
  });
  call_ = std::make_unique<SQLite::Statement>(
      db, fmt::format("INSERT INTO calls VALUES ({})", parameters));
  run_ = std::make_unique<SQLite::Statement>(
      db,
      fmt::format("INSERT INTO runs ({}) VALUES (?,?,?,?,?,?,?,?,?,?,?,?,?,?,?,?)", kRunColumns));
}

IndexInserter::~IndexInserter() = default;

Result<void> IndexInserter::replace_run(const std::filesystem::path& data_dir,
                                        const std::string& run_id, IndexReport& report) {
  const RunPaths paths = run_paths(data_dir, run_id);
  // Both are taken before reading: what is appended meanwhile shows as a change the next time.
  const auto stamp = ledger_stamp(paths.ledger);
  if (!stamp) return fail(stamp.error());
  const bool is_running = is_being_written(paths.ledger);

  RunRow row;
  row.run_id = run_id;
  row.ledger_path = paths.ledger.string();
  row.ledger_bytes = stamp->bytes;
  row.ledger_mtime_ns = stamp->mtime_ns;
  int64_t calls = 0;

  SQLite::Transaction transaction(db_, SQLite::TransactionBehavior::IMMEDIATE);
  delete_run_rows(db_, run_id);
  const auto scan =
      scan_ledger(paths.ledger, UnendedLine::kAccept, [&](CallRecord&& record) -> Result<void> {
        record.run_id = run_id;  // Lines of other writers may lack it.
        visit_fields(std::as_const(record), FieldBinder(*call_));
        call_->exec();
        call_->reset();
        count(row, record);
        ++calls;
        return {};
      });
  if (!scan) return fail(scan.error());
  if (scan->content.meta.run_id != run_id) {
    return fail(Errc::kProtocol,
                fmt::format("{} is the ledger of run '{}', not of the run its directory names",
                            paths.ledger.string(), printable(scan->content.meta.run_id, 64)));
  }
  describe(row, scan->content, is_running);
  insert_run_row(*run_, row);
  transaction.commit();
  note_damage(scan->content, run_id, report);
  ++report.runs;
  report.calls += calls;
  return {};
}

bool delete_run_rows(SQLite::Database& db, const std::string& run_id) {
  SQLite::Statement run(db, "DELETE FROM runs WHERE run_id = ?");
  run.bindNoCopy(1, run_id);
  if (run.exec() == 0) return false;
  SQLite::Statement calls(db, "DELETE FROM calls WHERE benchmark_run_id = ?");
  calls.bindNoCopy(1, run_id);
  calls.exec();
  return true;
}

std::string_view run_columns() { return kRunColumns; }

RunRow read_run_row(SQLite::Statement& row) {
  RunRow run;
  int at = 0;
  const auto text = [&] { return row.getColumn(at++).getString(); };
  const auto number = [&] { return row.getColumn(at++).getInt64(); };
  run.run_id = text();
  run.started_at_utc = text();
  run.started_wall_ns = number();
  run.state = text();
  run.suite = text();
  const auto cells = nlohmann::json::parse(text(), nullptr, false);
  for (const auto& cell : cells) {
    if (cell.is_string()) run.cells.push_back(cell.get<std::string>());
  }
  run.host = text();
  run.planned = number();
  run.ok = number();
  run.failed = number();
  run.skipped = number();
  if (const auto wall = row.getColumn(at++); !wall.isNull()) run.wall_s = wall.getDouble();
  run.ledger_path = text();
  run.ledger_bytes = number();
  run.ledger_mtime_ns = number();
  run.source = text();
  return run;
}

void add_note(IndexReport& report, std::string note) {
  if (report.notes.size() < kMaxIndexNotes) report.notes.push_back(std::move(note));
}

}  // namespace assay
