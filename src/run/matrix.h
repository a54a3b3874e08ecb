#pragma once

#include <span>
#include <vector>

#include "base/result.h"
#include "run/session.h"
#include "run/variants.h"

namespace assay {

inline constexpr size_t kMostCombinations = 256;

/// Every combination of the options that were given several values, in the order in which they are
/// measured: those that load a model in the same way stand together. Empty where no option but
/// --max-concurrency has several. kInvalidArgument names a combination that cannot be asked for, or
/// how many there would be beyond kMostCombinations.
Result<std::vector<Variant>> matrix_of(const RunSpec& spec);

/// Fills `session.cells` with every combination of each cell that open_cells() finds, and returns
/// the combination of each. Of engines that we start one runs at a time: each is loaded, asked for
/// its first estimate where the plan needs one, and stopped again; the run loads it again before
/// its first call. Errors are those of open_cells().
Result<std::vector<Variant>> open_matrix(Session& session, std::span<const Variant> matrix,
                                         const OnNote& note);

/// estimate_cell() for the cells of servers that are not ours, once for each way to load a model.
void estimate_matrix(Session& session, std::span<const Variant> cells, const OnNote& note);

/// Stops every engine of ours but the one behind `cell`.
void stop_other_engines(Session& session, int64_t cell);

}  // namespace assay
