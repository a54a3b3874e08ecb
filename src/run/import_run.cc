#include "run/import_run.h"

#include <fmt/format.h>
#include <unistd.h>

#include <cerrno>

#include "base/clock.h"
#include "base/files.h"
#include "base/ids.h"
#include "model/json.h"
#include "run/environment.h"
#include "store/index.h"
#include "store/ledger.h"

namespace assay {
namespace {

constexpr size_t kBatchBytes = 4 << 20;

Result<std::string> read_standard_input() {
  std::string text;
  std::string block(1 << 16, '\0');
  for (;;) {
    const ssize_t got = ::read(STDIN_FILENO, block.data(), block.size());
    if (got < 0 && errno == EINTR) continue;
    if (got < 0) {
      return fail(Errc::kIo, fmt::format("cannot read standard input: {}", errno_text(errno)));
    }
    if (got == 0) return text;
    text.append(block.data(), static_cast<size_t>(got));
    if (text.size() > static_cast<size_t>(kMaxImportBytes)) {
      return fail(Errc::kInvalidArgument,
                  fmt::format("standard input is longer than {} bytes", kMaxImportBytes));
    }
  }
}

/// The Error of an importer, with the file it is about.
tl::unexpected<Error> about(const std::string& name, Error error) {
  error.message = fmt::format("{}: {}", name, error.message);
  return fail(std::move(error));
}

void identify(const ImportRequest& request, ImportedRun& run) {
  RunMeta& meta = run.meta;
  const int64_t now = wall_now_ns();
  meta.run_id = new_uuid4();
  meta.harness_version = kHarnessVersion;
  meta.assay_version = ASSAY_VERSION;
  meta.labels = request.labels;
  meta.imported->imported_at_utc = utc_text(now);
  meta.imported->file = request.file.filename().string();
  if (meta.started_wall_ns == 0) {
    meta.started_wall_ns = now;
    meta.notes.emplace_back(
        "the file does not tell when it was measured: the time is the import's");
  }
  meta.started_at_utc = utc_text(meta.started_wall_ns);
  for (Leg& leg : meta.legs) {
    leg.settings_hash = leg.requested_settings_hash = settings_hash(leg.settings);
  }
  for (CallRecord& record : run.calls) {
    record.run_id = meta.run_id;
    record.settings_hash = meta.legs[static_cast<size_t>(record.leg)].settings_hash;
  }
}

RunEnd end_of(const ImportedRun& run) {
  RunEnd end;
  end.state = "completed";
  end.finished_at_utc =
      utc_text(run.meta.started_wall_ns + static_cast<int64_t>(run.wall_s.value_or(0) * 1e9));
  end.wall_s = run.wall_s;
  return end;
}

Result<void> write_ledger(LedgerFile& ledger, const ImportedRun& run) {
  std::string lines = meta_line(run.meta) + "\n";
  for (const CallRecord& record : run.calls) {
    lines += call_line(record);
    lines += '\n';
    if (lines.size() < kBatchBytes) continue;
    if (auto put = ledger.append(lines); !put) return put;
    lines.clear();
  }
  lines += end_line(end_of(run)) + "\n";
  if (auto put = ledger.append(lines); !put) return put;
  return ledger.sync();
}

}  // namespace

Result<ImportedRun> read_import(const ImportRequest& request) {
  const bool from_input = request.file == "-";
  auto text = from_input ? read_standard_input() : read_file(request.file, kMaxImportBytes);
  if (!text) return fail(text.error());
  const std::string name = from_input ? "standard input" : request.file.string();
  auto run = import_text(std::move(*text), request.format, request.hints);
  if (!run) return about(name, run.error());
  identify(request, *run);
  return run;
}

Result<RunPaths> store_import(const std::filesystem::path& data_dir, const ImportedRun& run) {
  auto paths = create_run_directory(data_dir, run.meta.run_id);
  if (!paths) return paths;
  Result<void> written;
  {
    auto ledger = LedgerFile::create(paths->ledger);
    written = ledger ? write_ledger(*ledger, run) : Result<void>(fail(ledger.error()));
  }
  if (!written) {
    // What cannot be deleted either is a ledger without its end, which reports call interrupted.
    [[maybe_unused]] const auto gone = delete_run_directory(data_dir, run.meta.run_id);
    return fail(written.error());
  }
  [[maybe_unused]] const auto synced = sync_index(data_dir);
  return paths;
}

}  // namespace assay
