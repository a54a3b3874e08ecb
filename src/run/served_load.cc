#include "run/served_load.h"

#include "model/cell_load.h"

namespace assay {
namespace {

constexpr Nanos kAskTimeout = std::chrono::seconds(5);

/// The entry of a list that is the cell's model: its own name before one that only begins so.
const ModelInfo* loaded_model(const std::vector<ModelInfo>& models, const std::string& name) {
  const ModelInfo* found = nullptr;
  for (const ModelInfo& model : models) {
    if (!model.loaded) continue;
    if (model.name == name) return &model;
    if (found == nullptr && names_model(model.name, name)) found = &model;
  }
  return found;
}

}  // namespace

HostedModel& hosted_model_of(Session& session, const LiveCell& cell) {
  return session.hosted_models[std::pair(cell.cell.url, cell.cell.model)];
}

bool takes_load(const LiveCell& cell) {
  CallSettings settings;
  settings.load = cell.asked_load;
  settings.context_length = cell.asked_load.context_length;
  settings.load->context_length.reset();
  const CallRequest request(cell.cell.model, std::string(), std::move(settings));
  return cell.engine->fit_request(request).missing.empty();
}

bool asks_for_load(const LiveCell& cell) {
  return cell.engine != nullptr && cell.engine->loads_as_asked() &&
         cell.asked_load != LaunchSettings();
}

Task<Result<void>> load_served(Session& session, const LiveCell& live) {
  const LaunchSettings asked = live.asked_load;
  auto loaded = co_await live.engine->load(live.cell.model, asked);
  if (!loaded) co_return fail(loaded.error());
  HostedModel& model = hosted_model_of(session, live);
  ++model.changes;
  model.asked = asked;
  model.said = std::move(*loaded);
  co_return Result<void>();
}

Task<Result<bool>> load_as_asked(Session& session, const LiveCell& live) {
  if (live.engine == nullptr || !live.engine->loads_as_asked()) co_return false;
  if (live.asked_load == hosted_model_of(session, live).asked) co_return false;
  // A model that was loaded in another way stays so until it is unloaded.
  const auto cold = co_await live.engine->make_cold(live.cell.model);
  if (!cold) co_return fail(cold.error());
  forget_load(session, live);
  const auto loaded = co_await load_served(session, live);
  if (!loaded) co_return fail(loaded.error());
  co_return true;
}

void forget_load(Session& session, const LiveCell& cell) {
  HostedModel& model = hosted_model_of(session, cell);
  ++model.changes;
  model.asked = LaunchSettings();
  model.said = LoadedModel();
}

Task<std::optional<CellLoad>> ask_load(Session& session, const LiveCell& live) {
  const std::shared_ptr<Engine> engine = live.engine;
  const auto models = co_await engine->models(kAskTimeout);
  if (!models) co_return std::nullopt;
  const ModelInfo* model = loaded_model(*models, live.cell.model);
  if (model == nullptr) co_return std::nullopt;
  const LoadedModel& said = hosted_model_of(session, live).said;
  CellLoad load;
  load.refused = said.refused;
  load.load_ms = said.load_ms;
  load.context_length = model->context_length;
  load.memory_bytes = model->memory_bytes;
  load.vram_bytes = model->vram_bytes;
  LaunchSettings effective = said.effective;
  complete_settings(model->load, effective);
  if (model->context_length) effective.context_length = model->context_length;
  if (effective != LaunchSettings()) load.effective = std::move(effective);
  co_return load;
}

}  // namespace assay
