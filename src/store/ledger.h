#pragma once

#include <cstdint>
#include <filesystem>
#include <string>
#include <string_view>

#include "base/result.h"
#include "model/run.h"
#include "store/append_file.h"

namespace assay {

struct ResumedLedger;

/// The ledger of one run while it is written: the truth everything else is made from. One thread at
/// a time; during a run that is the writer thread.
class LedgerFile {
 public:
  /// A new, empty ledger. kConflict when one is there already.
  static Result<LedgerFile> create(const std::filesystem::path& path,
                                   const FileCalls& calls = kSystemFileCalls);

  /// Reads a ledger and takes it up again. A torn tail (a last line that has no line end or is no
  /// JSON) is moved to `run.torn` beside it and counted in `content.torn_lines`. kNotFound;
  /// kConflict when its run is still going on; kProtocol when it has no whole meta line (the file
  /// is then left as it is).
  static Result<ResumedLedger> open_for_resume(const std::filesystem::path& path,
                                               const FileCalls& calls = kSystemFileCalls);

  /// Whole lines, the last line end included. See AppendFile::append for failures.
  Result<void> append(std::string_view lines) { return file_.append(lines); }
  /// See AppendFile::sync: after a failure everything since the last sync has to be appended again.
  Result<void> sync() { return file_.sync(); }

  [[nodiscard]] int64_t size() const { return file_.size(); }
  [[nodiscard]] const std::filesystem::path& path() const { return file_.path(); }
  /// What the file is written with, so that the run's other files fail in the same way in tests.
  [[nodiscard]] const FileCalls& calls() const { return calls_; }

 private:
  LedgerFile(AppendFile file, const FileCalls& calls) : file_(std::move(file)), calls_(calls) {}

  AppendFile file_;
  FileCalls calls_;
};

struct ResumedLedger {
  LedgerFile file;
  LedgerContent content;  ///< What the file holds, without the torn tail.
};

/// The first line alone, at most kMaxMetaBytes of it. Failures as read_ledger.
Result<RunMeta> read_ledger_meta(const std::filesystem::path& path);
inline constexpr int64_t kMaxMetaBytes = int64_t{256} << 20;

/// Reads a whole ledger and the telemetry.jsonl beside it, also while they are written or cut.
/// Damage is counted, not fatal: a torn tail, lines of unknown type, damaged lines (kept as
/// sentences in `damaged`), second final records of one planned call (the first wins). kNotFound,
/// kIo, or kProtocol when there is no usable meta line; telemetry that cannot be read is none. Any
/// thread.
Result<LedgerContent> read_ledger(const std::filesystem::path& path);

}  // namespace assay
