#include "store/run_dir.h"

#include <fmt/format.h>

#include <algorithm>
#include <cstdlib>
#include <system_error>

#include "base/check.h"
#include "base/files.h"
#include "base/text.h"
#include "store/append_file.h"

namespace assay {
namespace {

namespace fs = std::filesystem;

/// An environment variable's value; empty when unset.
std::string_view environment(const char* name) {
  const char* value = std::getenv(name);
  return value == nullptr ? std::string_view() : std::string_view(value);
}

tl::unexpected<Error> no_run(std::string_view run_id) {
  return fail(Errc::kNotFound, fmt::format("there is no run {}", printable(run_id, 64)),
              "`assay runs list` shows them");
}

tl::unexpected<Error> cannot(std::string_view doing, const fs::path& path,
                             const std::error_code& why) {
  return fail(Errc::kIo, fmt::format("cannot {} {}: {}", doing, path.string(), why.message()));
}

/// The run's paths when its directory is there.
Result<RunPaths> existing_run(const fs::path& data_dir, std::string_view run_id) {
  if (!is_run_id(run_id)) return no_run(run_id);
  RunPaths paths = run_paths(data_dir, run_id);
  std::error_code ignored;
  if (!fs::is_directory(paths.directory, ignored)) return no_run(run_id);
  return paths;
}

}  // namespace

Result<fs::path> data_directory(const std::optional<std::string>& override_path) {
  fs::path chosen;
  if (override_path && !override_path->empty()) {
    chosen = *override_path;
  } else if (fs::path(environment("XDG_DATA_HOME")).is_absolute()) {
    // The XDG specification says to ignore a relative one.
    chosen = fs::path(environment("XDG_DATA_HOME")) / "assay";
  } else if (fs::path(environment("HOME")).is_absolute()) {
    chosen = fs::path(environment("HOME")) / ".local" / "share" / "assay";
  } else {
    return fail(Errc::kInvalidArgument, "neither XDG_DATA_HOME nor HOME names a data directory",
                "set HOME, or name a directory for the data");
  }
  std::error_code error;
  const fs::path absolute = fs::absolute(chosen, error);
  if (error) return cannot("find", chosen, error);
  return absolute.lexically_normal();
}

bool is_run_id(std::string_view text) {
  const auto allowed = [](char c) {
    return (c >= '0' && c <= '9') || (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || c == '-' ||
           c == '_';
  };
  return text.size() >= 6 && text.size() <= 64 && text.front() != '-' &&
         std::all_of(text.begin(), text.end(), allowed);
}

RunPaths run_paths(const fs::path& data_dir, std::string_view run_id) {
  ASSAY_CHECK(is_run_id(run_id));
  const fs::path directory = data_dir / "runs" / run_id;
  return {directory,
          directory / "run.jsonl",
          directory / "responses.jsonl",
          directory / "events.jsonl",
          directory / "telemetry.jsonl",
          directory / "run.log",
          directory / "sent.map",
          directory / "environment_raw.json"};
}

Result<RunPaths> create_run_directory(const fs::path& data_dir, std::string_view run_id) {
  if (!is_run_id(run_id)) {
    return fail(Errc::kInvalidArgument, fmt::format("'{}' is no run id", printable(run_id, 80)),
                "a run id has 6 to 64 letters, digits, '-' and '_'");
  }
  const RunPaths paths = run_paths(data_dir, run_id);
  if (auto made = make_directories(data_dir / "runs"); !made) return fail(made.error());
  std::error_code error;
  const bool is_new = fs::create_directory(paths.directory, error);
  if (error) return cannot("create", paths.directory, error);
  if (!is_new) {
    return fail(Errc::kConflict, fmt::format("run {} has a directory already", run_id));
  }
  if (auto synced = sync_directory(data_dir / "runs"); !synced) return fail(synced.error());
  return paths;
}

Result<std::vector<std::string>> list_run_ids(const fs::path& data_dir) {
  std::vector<std::string> ids;
  std::error_code error;
  fs::directory_iterator entry(data_dir / "runs", error);
  if (error == std::errc::no_such_file_or_directory) return ids;
  for (; !error && entry != fs::directory_iterator(); entry.increment(error)) {
    std::string name = entry->path().filename().string();
    std::error_code ignored;
    if (is_run_id(name) && fs::is_regular_file(entry->path() / "run.jsonl", ignored)) {
      ids.push_back(std::move(name));
    }
  }
  if (error) return cannot("list", data_dir / "runs", error);
  std::sort(ids.begin(), ids.end());
  return ids;
}

Result<int64_t> run_bytes(const fs::path& data_dir, std::string_view run_id) {
  const auto paths = existing_run(data_dir, run_id);
  if (!paths) return fail(paths.error());
  int64_t bytes = 0;
  std::error_code error;
  fs::recursive_directory_iterator entry(paths->directory, error);
  for (; !error && entry != fs::recursive_directory_iterator(); entry.increment(error)) {
    std::error_code gone;  // A file that vanishes meanwhile has no size.
    const auto size = entry->is_regular_file(gone) ? entry->file_size(gone) : 0;
    if (!gone) bytes += static_cast<int64_t>(size);
  }
  if (error) return cannot("list", paths->directory, error);
  return bytes;
}

Result<void> delete_run_directory(const fs::path& data_dir, std::string_view run_id) {
  const auto paths = existing_run(data_dir, run_id);
  if (!paths) return fail(paths.error());
  if (is_being_written(paths->ledger)) {
    return fail(Errc::kConflict, fmt::format("run {} is still going on", run_id), "stop it first");
  }
  // Renamed first: a crash in the middle leaves no run with half its files.
  const fs::path doomed = data_dir / "runs" / fmt::format(".deleted-{}", run_id);
  std::error_code error;
  fs::remove_all(doomed, error);
  if (!error) fs::rename(paths->directory, doomed, error);
  if (!error) fs::remove_all(doomed, error);
  if (error) return cannot("delete", paths->directory, error);
  return {};
}

}  // namespace assay
