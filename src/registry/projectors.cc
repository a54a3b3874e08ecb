#include "registry/projectors.h"

#include <algorithm>
#include <filesystem>
#include <map>

namespace assay {
namespace {

namespace fs = std::filesystem;

/// Quantizations of one model hold the same tensors, save for a few that some files leave out.
constexpr double kSameSize = 0.05;

/// What lies in one directory.
struct Neighbours {
  fs::path projector;
  std::vector<RegisteredModel*> models;
};

bool is_one_model(const std::vector<RegisteredModel*>& models) {
  const GgufInfo* first = nullptr;
  for (const RegisteredModel* model : models) {
    if (!model->header) continue;
    if (first == nullptr) first = &*model->header;
    const auto size = static_cast<double>(model->header->parameters);
    const auto expected = static_cast<double>(first->parameters);
    if (model->header->architecture != first->architecture) return false;
    if (size < expected * (1 - kSameSize) || size > expected * (1 + kSameSize)) return false;
  }
  return true;
}

}  // namespace

void give_projectors(std::vector<RegisteredModel>& models) {
  std::map<fs::path, Neighbours> directories;
  for (RegisteredModel& model : models) {
    if (model.listed.files.empty() || model.state != ModelState::kWhole) continue;
    const fs::path& file = model.listed.files.front();
    Neighbours& here = directories[file.parent_path()];
    if (model.kind == ModelKind::kText) here.models.push_back(&model);
    if (model.kind != ModelKind::kProjector) continue;
    here.projector = here.projector.empty() ? file : std::min(here.projector, file);
  }
  for (auto& [directory, here] : directories) {
    if (here.projector.empty() || !is_one_model(here.models)) continue;
    for (RegisteredModel* model : here.models) {
      if (!model->listed.projector) model->listed.projector = here.projector;
    }
  }
}

}  // namespace assay
