#pragma once

#include <vector>

#include "registry/registered_model.h"

namespace assay {

/// Gives each text model the projector of its directory, where none is named by a manifest. A
/// directory's projector is for one model: where models of other architectures or sizes lie beside
/// it, quantizations aside, nobody can tell whose it is, and none gets it. Of several projectors
/// the first by name is taken.
void give_projectors(std::vector<RegisteredModel>& models);

}  // namespace assay
