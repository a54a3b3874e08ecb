#pragma once

#include "engines/engine.h"

namespace assay {

/// Completes what a server of this machine does not tell of a model whose file it names, by the
/// header of that file: architecture, parameters, context, quantisation, size. Nothing where the
/// file cannot be read. What the server tells stays.
void complete_from_file(ModelInfo& model);

}  // namespace assay
