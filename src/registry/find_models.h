#pragma once

#include <cstddef>
#include <string_view>
#include <vector>

#include "base/result.h"
#include "registry/registered_model.h"

namespace assay {

/// Whether a name means every model that matches it.
bool is_pattern(std::string_view name);

/// The models that a name means, as indexes: all that match a pattern with `*` or `?`; else the one
/// of that name, of that last part of a name, of that path, or whose fingerprint begins so (six
/// digits or more). kNotFound with a suggestion; kInvalidArgument when a plain name fits several.
Result<std::vector<size_t>> find_models(const std::vector<RegisteredModel>& models,
                                        std::string_view name);

}  // namespace assay
