#pragma once

#include <cstdint>
#include <filesystem>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/result.h"

namespace assay {

/// Where one run keeps its files. Only the ledger is always there.
struct RunPaths {
  std::filesystem::path directory;    ///< `<data>/runs/<run id>`
  std::filesystem::path ledger;       ///< run.jsonl
  std::filesystem::path responses;    ///< responses.jsonl
  std::filesystem::path events;       ///< events.jsonl
  std::filesystem::path telemetry;    ///< telemetry.jsonl, see telemetry_file.h
  std::filesystem::path log;          ///< run.log
  std::filesystem::path sent;         ///< sent.map, see sent_calls.h
  std::filesystem::path environment;  ///< environment_raw.json: never published
};

/// The directory all runs live under: the override if there is one, else `$XDG_DATA_HOME/assay`,
/// else `$HOME/.local/share/assay`. Absolute; nothing is made. kInvalidArgument when none of them
/// says.
Result<std::filesystem::path> data_directory(const std::optional<std::string>& override_path = {});

/// Run ids are names of directories: 6 to 64 letters, digits, `-` and `_`, no `-` in front.
bool is_run_id(std::string_view text);

/// `run_id` must be one by is_run_id.
RunPaths run_paths(const std::filesystem::path& data_dir, std::string_view run_id);

/// Makes the run's directory, durably. kConflict when it is there already, kInvalidArgument when
/// `run_id` is none.
Result<RunPaths> create_run_directory(const std::filesystem::path& data_dir,
                                      std::string_view run_id);

/// Ids of all runs with a ledger, sorted. Empty when the directory does not exist.
Result<std::vector<std::string>> list_run_ids(const std::filesystem::path& data_dir);

/// Bytes of all files of a run. kNotFound.
Result<int64_t> run_bytes(const std::filesystem::path& data_dir, std::string_view run_id);

/// Deletes a run's directory: it is gone from listings at once or not at all. kNotFound; kConflict
/// while the run is being written.
Result<void> delete_run_directory(const std::filesystem::path& data_dir, std::string_view run_id);

}  // namespace assay
