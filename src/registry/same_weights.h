#pragma once

#include <cstddef>
#include <string>
#include <string_view>
#include <vector>

#include "registry/registered_model.h"

namespace assay {

/// Models whose files hold the same bytes, wherever they lie.
struct WeightsGroup {
  std::string digest;
  std::vector<size_t> models;  ///< Indexes into what was grouped: two or more, in order.
};

/// Every group, in the order of its first model. Models without a digest, and those that are not
/// whole, are in none.
std::vector<WeightsGroup> same_weights(const std::vector<RegisteredModel>& models);

/// A model as an engine names it when asked for its models.
struct ServedName {
  std::string_view engine;  ///< Kind in the engine table, such as `ollama`.
  std::string_view name;
  std::string_view digest;  ///< As the engine tells it; empty when it does not.
};

/// The registered model that an engine serves; null when it cannot be told for sure. Ollama's are
/// found by the manifest's digest or by name; llama.cpp's and others' by the path or the name of
/// the file, LM Studio's also by `publisher/model@quantization`.
const RegisteredModel* served_model(const std::vector<RegisteredModel>& models,
                                    const ServedName& served);

/// The group that a served model belongs to: the others hold the same weights. Null when it is in
/// none, or cannot be told.
const WeightsGroup* weights_group(const std::vector<RegisteredModel>& models,
                                  const std::vector<WeightsGroup>& groups,
                                  const ServedName& served);

}  // namespace assay
