#pragma once

#include <cstdint>
#include <filesystem>
#include <map>
#include <string>
#include <tuple>
#include <vector>

#include "base/result.h"

namespace assay {

/// A run that others are compared with, under a name.
struct Baseline {
  std::string name;
  std::string run_id;  ///< Empty in a tombstone: the name means nothing any more.
  std::string set_at_utc;
};

/// How far identical runs lie apart on a machine: what a difference has to exceed.
struct NoiseFloor {
  std::string host;
  std::string cell_id;
  std::string metric;
  double share = 0;   ///< Relative: 0.012 is 1.2 %.
  int64_t pairs = 0;  ///< Identical pairs that it comes from.
  std::string measured_at_utc;
};

/// Everything a data directory knows that is no measurement.
struct State {
  std::map<std::string, Baseline, std::less<>> baselines;
  std::map<std::tuple<std::string, std::string, std::string>, NoiseFloor> floors;
  int64_t damaged_lines = 0;  ///< Left out; a cut last line is not counted.

  /// Null when none was measured.
  [[nodiscard]] const NoiseFloor* floor(const std::string& host, const std::string& cell_id,
                                        const std::string& metric) const;
};

/// Facts are lines of `<data>/state.jsonl`, and the last one of a name is true. Lines of a type
/// that this version does not know are kept and skipped. No file is an empty state.
Result<State> read_state(const std::filesystem::path& data_dir);

/// Appends facts under the file's lock and returns when they are on the disk. Waits up to
/// five seconds for another process; then kConflict.
Result<void> add_to_state(const std::filesystem::path& data_dir,
                          const std::vector<Baseline>& baselines);
Result<void> add_to_state(const std::filesystem::path& data_dir,
                          const std::vector<NoiseFloor>& floors);

}  // namespace assay
