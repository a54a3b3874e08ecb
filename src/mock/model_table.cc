#include "mock/model_table.h"

#include <algorithm>

#include "mock/tokens.h"

namespace assay {

namespace {

constexpr size_t kMostModels = 10'000;
/// Beginnings remembered for one model; beyond it the model forgets all and starts again.
constexpr size_t kMostBeginnings = 1 << 20;

}  // namespace

int64_t PrefixCache::match_and_add(const std::vector<std::string_view>& prompt) {
  if (beginnings_.size() + prompt.size() > kMostBeginnings) beginnings_.clear();
  uint64_t chain = 0;
  int64_t shared = 0;
  bool matching = true;
  for (const std::string_view token : prompt) {
    chain = (chain ^ text_hash(token)) * 0x9e3779b97f4a7c15U;
    chain ^= chain >> 29;
    const bool known = !beginnings_.insert(chain).second;
    matching = matching && known;
    if (matching) ++shared;
  }
  const auto size = static_cast<int64_t>(prompt.size());
  return std::max<int64_t>(0, std::min(shared, size - 1));
}

Nanos ModelTable::load_wait(const std::string& model, MonoNs start, Nanos load_time) {
  auto& loaded_at = models_[model].loaded_at;
  if (!loaded_at) loaded_at = start + load_time.count();
  return Nanos(std::max<int64_t>(0, *loaded_at - start));
}

void ModelTable::unload(const std::string& model) {
  const auto found = models_.find(model);
  if (found == models_.end()) return;
  found->second.loaded_at.reset();
  found->second.loaded_as = LoadedAs();
  found->second.prefixes.clear();
}

void ModelTable::load_as(const std::string& model, const LoadedAs& settings) {
  if (models_[model].loaded_as == settings) return;
  unload(model);
  models_[model].loaded_as = settings;
}

LoadedAs ModelTable::loaded_as(const std::string& model) const {
  const auto found = models_.find(model);
  return found == models_.end() ? LoadedAs() : found->second.loaded_as;
}

std::vector<std::string> ModelTable::loaded() const {
  std::vector<std::string> names;
  for (const auto& [name, model] : models_) {
    if (model.loaded_at) names.push_back(name);
  }
  return names;
}

std::optional<MonoNs> ModelTable::loaded_at(const std::string& model) const {
  const auto found = models_.find(model);
  return found == models_.end() ? std::nullopt : found->second.loaded_at;
}

bool ModelTable::admits(const std::string& model) const {
  return models_.size() < kMostModels || models_.contains(model);
}

}  // namespace assay
