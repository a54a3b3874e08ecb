#pragma once

#include <cstdint>
#include <filesystem>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "base/result.h"
#include "store/index.h"

namespace SQLite {
class Database;
class Statement;
}  // namespace SQLite

namespace assay {

/// The index file's user_version. Raise it when `runs` or the meaning of a column changes; an older
/// index is then made anew. A change of the field table is noticed without.
inline constexpr int kIndexSchema = 3;

// What follows is used inside store/index*.cc only and throws SQLite::Exception, which they turn
// into an Error at their public functions.

/// Makes `runs`, and `calls` with one column for each field of a CallRecord.
void create_tables(SQLite::Database& db);
/// The statement that makes `calls`, as SQLite keeps it.
std::string calls_table_sql();
/// Apart from the tables, since a bulk load is faster without it.
void create_calls_index(SQLite::Database& db);

/// How large and how new a ledger is.
struct LedgerStamp {
  int64_t bytes = 0;
  int64_t mtime_ns = 0;
  bool operator==(const LedgerStamp&) const = default;
};
Result<LedgerStamp> ledger_stamp(const std::filesystem::path& ledger);

/// Writes runs into the tables; keeps its statements prepared.
class IndexInserter {
 public:
  explicit IndexInserter(SQLite::Database& db);
  ~IndexInserter();

  /// Reads one run's ledger and replaces its rows, in one transaction. An Error is about the ledger
  /// and leaves the old rows. What the ledger's reader had to pass over is noted in `report`.
  Result<void> replace_run(const std::filesystem::path& data_dir, const std::string& run_id,
                           IndexReport& report);

 private:
  SQLite::Database& db_;
  std::unique_ptr<SQLite::Statement> call_;
  std::unique_ptr<SQLite::Statement> run_;
};

/// Removes a run's rows; false when there were none.
bool delete_run_rows(SQLite::Database& db, const std::string& run_id);

/// The columns of `runs`, in the order read_run_row() takes them.
std::string_view run_columns();
RunRow read_run_row(SQLite::Statement& row);

void add_note(IndexReport& report, std::string note);

}  // namespace assay
