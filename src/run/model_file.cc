#include "run/model_file.h"

#include <fmt/format.h>

#include <algorithm>
#include <utility>

#include "base/text.h"
#include "registry/eligibility.h"
#include "registry/model_file.h"

namespace assay {
namespace {

std::string hint_for(const RegisteredModel& model) {
  if (model.state == ModelState::kIncomplete) return "all parts have to lie in one folder";
  if (model.kind == ModelKind::kProjector) {
    return "name the model instead: llama-server gets the projector that lies beside it";
  }
  return "'assay models scan' tells what files are";
}

}  // namespace

Result<ModelFile> model_file_of(const RegisteredModel& model) {
  const std::string shown = printable(model.listed.name, 80);
  if (const auto why = why_not_enabled(model); !why.empty()) {
    return fail(Errc::kConflict, fmt::format("{} cannot be loaded: {}", shown, join(why, "; ")),
                hint_for(model));
  }
  if (!model.header) {
    return fail(Errc::kConflict, fmt::format("{} cannot be loaded: no part describes it", shown));
  }
  return ModelFile{model.listed.files.front(), model.listed.name, *model.header,
                   model.listed.projector.value_or("")};
}

Result<ModelFile> model_file_at(const std::filesystem::path& file) {
  if (const auto info = read_gguf_info(file); !info) return fail(info.error());
  auto found = model_file_of(describe_file(file));
  if (!found) return found;
  found->name = found->path.stem().string();
  return found;
}

LaunchRequest launch_request(const ModelFile& file, const std::string& program,
                             LaunchSettings settings) {
  LaunchRequest request;
  request.gguf = file.path;
  request.alias = file.name;
  request.program = program;
  request.settings = std::move(settings);
  request.layers = file.header.layers;
  const auto& takes = recipe_for(program).takes;
  if (!file.projector.empty() && std::ranges::find(takes, "projector") != takes.end()) {
    request.projector = file.projector;
    request.settings.projector = file.projector.filename().string();
  }
  return request;
}

std::string projector_left_out(const ModelFile& file, const LaunchRequest& request) {
  if (file.projector.empty() || request.settings.projector) return {};
  return fmt::format("{} is served without its projector {}: the {} engine takes none",
                     printable(file.name, 80), printable(file.projector.filename().string(), 80),
                     recipe_for(request.program).name);
}

}  // namespace assay
