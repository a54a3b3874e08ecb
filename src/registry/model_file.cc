#include "registry/model_file.h"

#include <algorithm>
#include <utility>

#include "registry/describe.h"
#include "registry/projectors.h"

namespace assay {
namespace {

namespace fs = std::filesystem;

bool holds(const ListedModel& model, const fs::path& file) {
  return std::ranges::find(model.files, file) != model.files.end();
}

}  // namespace

RegisteredModel describe_file(const fs::path& file) {
  const fs::path path = fs::absolute(file).lexically_normal();
  std::vector<RegisteredModel> models;
  for (ListedModel& listed : list_folder(path.parent_path()).models) {
    models.push_back(describe_model(std::move(listed)));
  }
  give_projectors(models);
  for (RegisteredModel& model : models) {
    if (!holds(model.listed, path)) continue;
    model.fingerprint.clear();
    return std::move(model);
  }
  // Named otherwise than model files are, as Ollama's are.
  ListedModel alone;
  alone.root = path.parent_path();
  alone.path = path.filename().string();
  alone.name = alone.path;
  alone.files = {path};
  RegisteredModel model = describe_model(std::move(alone));
  model.fingerprint.clear();
  return model;
}

}  // namespace assay
