#pragma once

#include <cstdint>
#include <functional>
#include <string>
#include <vector>

#include "model/options.h"
#include "model/run.h"
#include "run/cells_file.h"
#include "run/tree_state.h"

namespace assay {

/// Everything that the checks before a run look at. Gathered elsewhere, so that tests can make it.
struct PreflightFacts {
  bool harness = false;          ///< The cells are a file's: its rules hold.
  std::vector<TreeState> trees;  ///< Of the files of cells and prompts; else of this folder.
  std::vector<double> load_averages;
  int64_t cores = 0;  ///< 0: unknown.
  int64_t wall_ns = 0;
  std::string harness_version;
  std::vector<Cell> cells;              ///< As their servers answered.
  std::vector<DeclaredCell> declared;   ///< What the file wants of them; empty without one.
  std::vector<std::string> unselected;  ///< Cells of the file that were not asked for.
};

struct Preflight {
  std::vector<PreflightCheck> checks;
  std::vector<std::string> refusals;  ///< Why the run must not begin; empty: it may.
};

/// The list of what makes a run reproducible, with its results: git_sha, git_clean,
/// harness_version, load_average, one_harness (the caller holds the lock), window, call_rate,
/// cells_available, engine_version, model_digest. What holds only by leave (allow-dirty,
/// override-window, authorize-load) holds, and its detail has the reason; force-load lets the run
/// begin, and the check stays failed. cells_available never decides: a cell that is not there does
/// no harm to the others' figures. Without a file of cells nothing is refused and no check
/// decides. `for_publication` refuses on every failed check.
Preflight check_preflight(const PreflightFacts& facts, const RunSpec& spec);

/// Whether the load average is above what the rules allow: 4.0, or 0.5 a core.
bool is_busy(const std::vector<double>& load_averages, int64_t cores);
inline constexpr double kMaxLoad = 4.0;
inline constexpr double kMaxLoadPerCore = 0.5;

/// Waits until the machine is less busy. `load` asks again, `sleep` waits a second, both may be
/// stand-ins; `tell` gets a line at first and every 30 s. Returns the last averages.
std::vector<double> wait_for_quiet(const std::function<std::vector<double>()>& load, int64_t cores,
                                   const std::function<bool()>& sleep,
                                   const std::function<void(const std::string&)>& tell);
inline constexpr int64_t kMaxLoadWaitS = 120;

}  // namespace assay
