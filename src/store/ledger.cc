#include "store/ledger.h"

#include <fcntl.h>
#include <fmt/format.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <fstream>
#include <utility>

#include "model/json.h"
#include "store/ledger_scan.h"
#include "store/telemetry_file.h"

namespace assay {
namespace {

/// Keeps what is about to be cut off, for people to look at. A line end separates several tails.
Result<void> save_torn_tail(int ledger, int64_t from, int64_t to,
                            const std::filesystem::path& path) {
  const Fd torn(::open(path.c_str(), O_WRONLY | O_CREAT | O_APPEND | O_CLOEXEC, 0644));
  if (!torn.valid()) {
    return fail(Errc::kIo, fmt::format("cannot open {}: {}", path.string(), errno_text(errno)));
  }
  std::string block(1 << 16, '\0');
  while (from < to) {
    const size_t want = static_cast<size_t>(std::min<int64_t>(to - from, 1 << 16));
    const ssize_t got = ::pread(ledger, block.data(), want, from);
    if (got < 0 && errno == EINTR) continue;
    if (got <= 0) return fail(Errc::kIo, "cannot read the ledger's torn tail");
    const std::string_view piece(block.data(), static_cast<size_t>(got));
    if (auto put = write_all(torn.get(), piece, path.string()); !put) return put;
    from += got;
  }
  if (auto put = write_all(torn.get(), "\n", path.string()); !put) return put;
  if (::fsync(torn.get()) != 0) {
    return fail(Errc::kIo, fmt::format("cannot sync {}: {}", path.string(), errno_text(errno)));
  }
  return sync_directory(path.parent_path());
}

}  // namespace

Result<LedgerFile> LedgerFile::create(const std::filesystem::path& path, const FileCalls& calls) {
  auto file = AppendFile::open(path, AppendFile::Open::kCreate, calls);
  if (!file) return fail(file.error());
  return LedgerFile(std::move(*file), calls);
}

Result<ResumedLedger> LedgerFile::open_for_resume(const std::filesystem::path& path,
                                                  const FileCalls& calls) {
  auto file = AppendFile::open(path, AppendFile::Open::kExisting, calls);
  if (!file) return fail(file.error());
  std::vector<CallRecord> records;
  auto scan = scan_ledger(path, UnendedLine::kTorn, [&](CallRecord&& record) -> Result<void> {
    records.push_back(std::move(record));
    return {};
  });
  if (!scan) return fail(scan.error());
  scan->content.calls = std::move(records);
  if (scan->kept_bytes < file->size()) {
    std::filesystem::path torn = path;
    torn.replace_extension("torn");
    if (auto saved = save_torn_tail(file->fd(), scan->kept_bytes, file->size(), torn); !saved) {
      return fail(saved.error());
    }
    if (auto cut = file->truncate(scan->kept_bytes); !cut) return fail(cut.error());
  }
  // The run goes on from these records, so they must not vanish in a power cut any more.
  if (auto synced = file->sync(); !synced) return fail(synced.error());
  return ResumedLedger{LedgerFile(std::move(*file), calls), std::move(scan->content)};
}

Result<RunMeta> read_ledger_meta(const std::filesystem::path& path) {
  std::ifstream in(path, std::ios::binary);
  if (!in) return fail(Errc::kNotFound, fmt::format("there is no ledger {}", path.string()));
  std::string line;
  std::string block(1 << 16, '\0');
  while (in.read(block.data(), static_cast<std::streamsize>(block.size())) || in.gcount() > 0) {
    const std::string_view piece(block.data(), static_cast<size_t>(in.gcount()));
    const size_t end = piece.find('\n');
    line += piece.substr(0, end);
    if (end != std::string_view::npos) return parse_meta(line);
    if (static_cast<int64_t>(line.size()) > kMaxMetaBytes) break;
  }
  return fail(Errc::kProtocol, fmt::format("{} has no whole first line", path.string()));
}

Result<LedgerContent> read_ledger(const std::filesystem::path& path) {
  std::vector<CallRecord> records;
  auto scan = scan_ledger(path, UnendedLine::kAccept, [&](CallRecord&& record) -> Result<void> {
    records.push_back(std::move(record));
    return {};
  });
  if (!scan) return fail(scan.error());
  scan->content.calls = std::move(records);
  scan->content.telemetry = read_telemetry(path.parent_path() / "telemetry.jsonl");
  return std::move(scan->content);
}

}  // namespace assay
