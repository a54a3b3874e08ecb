#include "model/cell_load.h"

#include <fmt/format.h>

#include <algorithm>
#include <map>
#include <nlohmann/json.hpp>
#include <optional>
#include <string_view>

#include "model/document_fields.h"
#include "model/members_json.h"

namespace assay {
namespace {

template <class T>
void take(const std::optional<T>& told, std::optional<T>& known) {
  if (told) known = told;
}

template <class T>
bool is_known(const std::optional<T>& told, const std::optional<T>& known) {
  return !told || told == known;
}

/// The settings that are there, as text.
std::map<std::string, std::string, std::less<>> texts_of(const LaunchSettings& settings) {
  std::map<std::string, std::string, std::less<>> texts;
  visit_members(settings, [&](std::string_view name, const auto& member) {
    if constexpr (requires { member.has_value(); }) {
      if (member) texts.emplace(name, fmt::format("{}", *member));
    }
  });
  return texts;
}

}  // namespace

void complete_settings(const LaunchSettings& told, LaunchSettings& known) {
  const bool hidden = known.gpu_hidden || told.gpu_hidden;
  read_members(members_json<nlohmann::json>(told), known);  // What is null stays as it is.
  known.gpu_hidden = hidden;
}

void take_load(const CellLoad& load, Cell& cell) {
  if (load.effective) {
    LaunchSettings known = cell.load_effective.value_or(LaunchSettings());
    complete_settings(*load.effective, known);
    cell.load_effective = std::move(known);
  }
  cell.load_refused = load.refused;
  take(load.load_ms, cell.load_ms);
  take(load.context_length, cell.context_length);
  take(load.memory_bytes, cell.memory_bytes);
  take(load.vram_bytes, cell.vram_bytes);
}

bool knows_load(const Cell& cell, const CellLoad& load) {
  std::optional<LaunchSettings> known = cell.load_effective;
  if (load.effective) {
    if (!known) known.emplace();
    complete_settings(*load.effective, *known);
  }
  return known == cell.load_effective && cell.load_refused == load.refused &&
         is_known(load.load_ms, cell.load_ms) &&
         is_known(load.context_length, cell.context_length) &&
         is_known(load.memory_bytes, cell.memory_bytes) &&
         is_known(load.vram_bytes, cell.vram_bytes);
}

std::vector<std::string> not_as_asked(const Cell& cell) {
  std::vector<std::string> texts;
  if (cell.managed || !cell.load_requested) return texts;
  for (const std::string& name : cell.load_refused) texts.push_back(name + " was refused");
  if (!cell.load_effective) return texts;
  const auto asked = texts_of(*cell.load_requested);
  for (const auto& [name, is] : texts_of(*cell.load_effective)) {
    const auto wanted = asked.find(name);
    if (wanted == asked.end() || wanted->second == is || wanted->second == "auto") continue;
    texts.push_back(fmt::format("{} is {} instead of {}", name, is, wanted->second));
  }
  return texts;
}

}  // namespace assay
