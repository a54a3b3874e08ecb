#pragma once

#include "model/call_record.h"
#include "run/engine_reads.h"
#include "run/session.h"

namespace assay {

/// What the engine's processes had read before the load of a cold call; absent where it was not
/// made cold, else the reason why it is not known.
using ReadsBefore = std::optional<Result<EngineReads>>;

/// Makes the cell's next call a cold one and notes in `record` how: cold_kind, the instants of
/// unloading, of the pause after it and of a load that is not the call's own (since `epoch`), and
/// how much of the model file was in the page cache. Where the engine keeps its model the call is
/// `process_warm`. A model that could not be taken away, or not be loaded again, is an error: the
/// call would measure something else. `at.unload_end` is set where it was taken away. `reads` gets
/// what note_reads() counts from.
Task<Result<void>> make_cold(Session& session, size_t cell, MonoNs epoch, CallRecord& record,
                             ReadsBefore& reads);

/// Copies what make_cold noted to the record of an attempt.
void add_cold_facts(const CallRecord& cold, CallRecord& record);

/// After the call: what the engine's processes have read from storage since make_cold() had taken
/// the model away, or why that is not known.
void note_reads(const Session& session, size_t cell, const ReadsBefore& before, CallRecord& record);

}  // namespace assay
