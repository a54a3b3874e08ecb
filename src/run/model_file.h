#pragma once

#include <filesystem>
#include <string>

#include "base/result.h"
#include "gguf/gguf_reader.h"
#include "registry/registered_model.h"
#include "supervise/recipe.h"

namespace assay {

/// A model that an engine of ours can serve.
struct ModelFile {
  std::filesystem::path path;       ///< Of its first part.
  std::string name;                 ///< Towards clients.
  GgufInfo header;                  ///< Of all its parts together.
  std::filesystem::path projector;  ///< Empty: it has none.
};

/// The model that a file is, or is a part of: a later part of a complete set means the set.
/// kConflict names what is missing of it, or what else it is: a projector, an adapter. Otherwise
/// the errors of read_gguf_info().
Result<ModelFile> model_file_at(const std::filesystem::path& file);
/// The same of a model of the registry, under its name there.
Result<ModelFile> model_file_of(const RegisteredModel& model);

/// What an engine is to be started with; a projector only where its kind takes one.
LaunchRequest launch_request(const ModelFile& file, const std::string& program,
                             LaunchSettings settings);
/// That the model has a projector which this kind of engine takes no notice of; else empty.
std::string projector_left_out(const ModelFile& file, const LaunchRequest& request);

}  // namespace assay
