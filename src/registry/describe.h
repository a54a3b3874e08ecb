#pragma once

#include "registry/registered_model.h"

namespace assay {

/// Reads the headers of a listed model's files and says what they make together. Parts have to fit:
/// their numbers, their count and the sum of their tensors are compared with what the headers say.
/// What is wrong is the model's state and reason; there is no failure. Flags stay unset.
RegisteredModel describe_model(ListedModel listed);

}  // namespace assay
