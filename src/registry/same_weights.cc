#include "registry/same_weights.h"

#include <algorithm>
#include <map>

#include "base/text.h"

namespace assay {
namespace {

/// Without what an engine leaves out of a name: the ending, `-GGUF`, the case.
std::string plain(std::string_view name) {
  std::string text = to_lower(name);
  for (const std::string_view end : {".gguf", "-gguf"}) {
    if (text.ends_with(end)) text.resize(text.size() - end.size());
  }
  return text;
}

std::string_view last_part(std::string_view path) {
  const size_t slash = path.rfind('/');
  return slash == std::string_view::npos ? path : path.substr(slash + 1);
}

bool is_ollama_model(const RegisteredModel& model, const ServedName& served) {
  if (!served.digest.empty() && model.listed.engine_digest) {
    const size_t colon = served.digest.find(':');
    return served.digest.substr(colon == std::string_view::npos ? 0 : colon + 1) ==
           *model.listed.engine_digest;
  }
  return model.listed.name == served.name;
}

/// `publisher/model@q4_k_m`, each of publisher and quantization optional.
bool is_lmstudio_model(const RegisteredModel& model, std::string_view name) {
  const size_t at = name.find('@');
  const std::string_view key = name.substr(0, at);
  if (at != std::string_view::npos &&
      (!model.header || to_lower(name.substr(at + 1)) != model.header->quantisation)) {
    return false;
  }
  const auto parts = split(model.listed.name, '/');
  if (parts.size() < 3) return false;
  if (plain(key) == plain(parts[1])) return true;
  return plain(key) == plain(parts[0] + "/" + parts[1]);
}

bool is_file(const RegisteredModel& model, std::string_view name) {
  if (model.listed.files.empty()) return false;
  const std::string path = model.listed.files.front().string();
  if (name.starts_with('/')) return path == name;
  return plain(name) == plain(model.listed.name) || plain(name) == plain(last_part(path)) ||
         plain(name) == plain(last_part(model.listed.name));
}

bool is_served(const RegisteredModel& model, const ServedName& served) {
  if (served.engine == "ollama") {
    return model.listed.place == "ollama" && is_ollama_model(model, served);
  }
  if (model.listed.place == "ollama") return false;
  if (is_file(model, served.name)) return true;
  return model.listed.place == "lmstudio" && is_lmstudio_model(model, served.name);
}

}  // namespace

std::vector<WeightsGroup> same_weights(const std::vector<RegisteredModel>& models) {
  std::map<std::string_view, std::vector<size_t>> by_digest;
  for (size_t i = 0; i < models.size(); ++i) {
    if (models[i].state == ModelState::kWhole && models[i].digest) {
      by_digest[*models[i].digest].push_back(i);
    }
  }
  std::vector<WeightsGroup> groups;
  for (auto& [digest, members] : by_digest) {
    if (members.size() > 1) groups.push_back({std::string(digest), std::move(members)});
  }
  std::ranges::sort(groups, {}, [](const WeightsGroup& group) { return group.models.front(); });
  return groups;
}

const RegisteredModel* served_model(const std::vector<RegisteredModel>& models,
                                    const ServedName& served) {
  const RegisteredModel* found = nullptr;
  for (const RegisteredModel& model : models) {
    if (model.state != ModelState::kWhole || !is_served(model, served)) continue;
    // The same bytes twice are no doubt.
    if (found != nullptr && (!found->digest || found->digest != model.digest)) return nullptr;
    if (found == nullptr) found = &model;
  }
  return found;
}

const WeightsGroup* weights_group(const std::vector<RegisteredModel>& models,
                                  const std::vector<WeightsGroup>& groups,
                                  const ServedName& served) {
  const RegisteredModel* model = served_model(models, served);
  if (model == nullptr || !model->digest) return nullptr;
  const auto group = std::ranges::find(groups, *model->digest, &WeightsGroup::digest);
  return group == groups.end() ? nullptr : &*group;
}

}  // namespace assay
