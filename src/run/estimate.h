#pragma once

#include "model/options.h"
#include "net/limits.h"
#include "run/session.h"

namespace assay {

Limits limits_of(const RunSpec& spec);

/// Asks an available cell two short prompts, to learn how long a call takes, how many tokens a
/// word makes and what the chat template adds. Writes what it learnt into the cell; what could not
/// be learnt stays absent and is noted. `context_length` is asked for where the engine sizes its
/// context per call, so that the later calls need no reload.
void estimate_cell(Session& session, LiveCell& live, const RunSpec& spec,
                   std::optional<int64_t> context_length, const OnNote& note);
/// The same for every cell.
void estimate_cells(Session& session, const RunSpec& spec, std::optional<int64_t> context_length,
                    const OnNote& note);

}  // namespace assay
