#pragma once

#include <string>

#include "engines/call.h"
#include "engines/engine.h"
#include "model/run.h"

namespace assay {

/// Where the engine does not tell what it had cached, our salts do; flagged `prefix_inferred`.
void infer_prefix(const Prompt& prompt, CallRecord& record);

/// Where an ok answer has no token count, the engine's own tokenizer counts its text; never a guess
/// in silence: servers known to send one token an event give an estimate, flagged so.
Task<void> complete_counts(Engine& engine, std::string model, CallResult& result);

}  // namespace assay
