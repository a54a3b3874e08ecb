#pragma once

#include <optional>

#include "run/session.h"

namespace assay {

// Models of servers that are not ours: how they are loaded, and what the server says of it.

/// What this process did about the model of such a cell; made on first use.
HostedModel& hosted_model_of(Session& session, const LiveCell& cell);

/// Whether the server can be asked for the cell's way of loading the model.
bool takes_load(const LiveCell& cell);

/// Whether the cell's model is to be loaded by a request of its own, with settings.
bool asks_for_load(const LiveCell& cell);

/// Has the server load the cell's model with the settings that were asked for.
Task<Result<void>> load_served(Session& session, const LiveCell& live);
/// The same where it is not known to be loaded so; what was loaded otherwise is unloaded before.
/// True where it was loaded.
Task<Result<bool>> load_as_asked(Session& session, const LiveCell& live);
/// Takes note that the model is not there any more as it was loaded.
void forget_load(Session& session, const LiveCell& cell);

/// What the server tells of the cell's model as it is loaded now; CellLoad::cell and at_ns are the
/// caller's. Absent where it does not answer, or does not have it loaded.
Task<std::optional<CellLoad>> ask_load(Session& session, const LiveCell& live);

}  // namespace assay
