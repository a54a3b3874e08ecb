#pragma once

#include <cstdint>
#include <filesystem>
#include <functional>
#include <memory>
#include <optional>
#include <set>
#include <string>
#include <string_view>
#include <vector>

#include "base/result.h"

namespace assay {

/// What the index knows about a run.
struct RunRow {
  std::string run_id;
  std::string started_at_utc;
  int64_t started_wall_ns = 0;
  /// As the ledger's end line says; without one `running` while a process writes the ledger, else
  /// `interrupted`.
  std::string state;
  std::string suite;
  std::string source;  ///< ImportSource::tool; empty when Assay measured the run itself.
  std::vector<std::string> cells;
  std::string host;
  int64_t planned = 0;  ///< Calls in the plan.
  int64_t ok = 0;       ///< Final records, by outcome.
  int64_t failed = 0;   ///< Error, timeout or cancelled.
  int64_t skipped = 0;
  std::optional<double> wall_s;
  std::string ledger_path;
  int64_t ledger_bytes = 0;     ///< As indexed.
  int64_t ledger_mtime_ns = 0;  ///< As indexed.
};

/// Empty members match every run.
struct RunFilter {
  std::string state;
  std::string suite;
  std::string host;
  std::string cell;  ///< Part of a cell's id.
  int64_t limit = 1000;
  int64_t offset = 0;
};

/// What a pass over the ledgers did.
struct IndexReport {
  int64_t runs = 0;     ///< Runs (re)read.
  int64_t calls = 0;    ///< Their call records.
  int64_t removed = 0;  ///< Runs whose ledger is gone, or that the state says were removed.
  /// Ledgers that could not be indexed, damage inside those that could, a quarantined index: one
  /// sentence each, at most kMaxIndexNotes.
  std::vector<std::string> notes;
};
inline constexpr size_t kMaxIndexNotes = 100;

/// Rebuilds `<data>/index.db` from all `runs/*/run.jsonl` into a new file and puts it in place.
/// Runs that `<data>/state.jsonl` says were removed are left out, with a note while their files are
/// there. A corrupt old index is kept as `index.db.corrupt-<utc>`, which a note says.
/// kInvalidArgument when the old one was made by a newer version: it is left alone. Any thread, any
/// process.
Result<IndexReport> reindex(const std::filesystem::path& data_dir);

/// The index of all runs, `<data>/index.db`. It holds nothing that is not in the ledgers and the
/// state. When it
/// turns out corrupt, whichever member notices quarantines it, rebuilds it and answers from the new
/// one; notes() tells. One thread at a time: each thread opens its own. A busy index is waited for
/// for 5 s, then kTimeout.
class RunIndex {
 public:
  enum class Check : uint8_t { kOnUse, kWholeFile };  ///< kWholeFile reads it all: for `serve`.
  /// Opens it; makes it from the ledgers when there is none or its schema is older.
  /// kInvalidArgument when a newer version made it.
  static Result<RunIndex> open(const std::filesystem::path& data_dir, Check check = Check::kOnUse);

  RunIndex(RunIndex&&) noexcept;
  RunIndex& operator=(RunIndex&&) noexcept;
  ~RunIndex();

  /// Reads the ledgers whose size or time changed and forgets runs whose ledger is gone.
  Result<IndexReport> sync();

  /// Newest first.
  Result<std::vector<RunRow>> list_runs(const RunFilter& filter = {});

  /// The run that `name` means: a prefix of its id, at least six characters long, or `last` for the
  /// newest. kInvalidArgument when it is too short or fits several runs, kNotFound when none; the
  /// message lists candidates.
  Result<RunRow> find_run(std::string_view name);

  /// The planned legs of a cell that an ok call of a run answered.
  Result<std::set<int64_t>> answered_legs(const std::string& run_id, const std::string& cell_id);

  /// Forgets a run by its whole id. Its files stay: see delete_run_directory. kNotFound.
  Result<void> remove_run(std::string_view run_id);

  /// What opening and repairs did, since the last call.
  std::vector<std::string> take_notes();

 private:
  struct Impl;
  explicit RunIndex(std::unique_ptr<Impl> impl);
  std::unique_ptr<Impl> impl_;
};

/// RunIndex::open and sync in one.
Result<IndexReport> sync_index(const std::filesystem::path& data_dir);

}  // namespace assay
