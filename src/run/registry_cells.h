#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "base/result.h"
#include "model/options.h"
#include "run/model_file.h"
#include "run/session.h"

namespace assay {

/// Model files that a run measures beside what servers offer.
struct FilesToMeasure {
  std::vector<ModelFile> files;
  std::vector<std::string> names;  ///< Of --model: those that mean a file.
  int64_t refused = 0;             ///< Eligible files that do not hold a condition.
  /// Why a model file that was named is not among them: sentences, for when no server has it
  /// either.
  std::vector<std::string> why_not;
  std::string hint;  ///< What to do about the first of them.
};

/// The model files that are eligible (present, enabled, benchmark-enabled) and asked for: with
/// --all-models or a condition all that hold the conditions, else those that --model means and
/// `answers` do not offer; a pattern means files and servers' models alike. None where --target
/// says what is measured, or --engine asks for another kind than ours. A file that a llama.cpp
/// server here serves already is left out. Errors are those of the state, the conditions, and a
/// name that fits several files.
Result<FilesToMeasure> files_to_measure(const RunSpec& spec,
                                        const std::vector<TargetAnswer>& answers,
                                        const OnNote& note);

/// Adds a cell for each, in an engine of ours. Of several one runs at a time: each is loaded, asked
/// for its first estimate where the plan needs one, and stopped; the run loads it again before its
/// first call. What an engine of ours cannot be asked for makes an unavailable cell.
Result<void> add_registry_cells(Session& session, const RunSpec& spec,
                                const std::vector<ModelFile>& files, const OnNote& note);

}  // namespace assay
