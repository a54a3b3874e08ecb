#include <nlohmann/json.hpp>

#include "base/files.h"
#include "base/text.h"
#include "registry/place.h"

namespace assay {
namespace {

namespace fs = std::filesystem;
constexpr int64_t kMaxSettingsBytes = 1 << 20;

/// LM Studio writes where it lives into a file of the home directory.
fs::path pointed_home(const fs::path& home) {
  const auto text = read_file(home / ".lmstudio-home-pointer", kMaxSettingsBytes);
  return text ? fs::path(trim(*text)) : fs::path();
}

/// Where models go when somebody chose another folder.
fs::path downloads_folder(const fs::path& lmstudio_home) {
  const auto text = read_file(lmstudio_home / "settings.json", kMaxSettingsBytes);
  if (!text) return {};
  const auto json = nlohmann::json::parse(*text, nullptr, false);
  if (!json.is_object() || !json.contains("downloadsFolder")) return {};
  const auto& folder = json["downloadsFolder"];
  return folder.is_string() ? fs::path(folder.get<std::string>()) : fs::path();
}

}  // namespace

std::vector<fs::path> lmstudio_roots(const Surroundings& where) {
  if (where.home.empty()) return {};
  std::vector<fs::path> homes{where.home / ".lmstudio", where.home / ".cache/lm-studio"};
  if (const fs::path pointed = pointed_home(where.home); pointed.is_absolute()) {
    homes.insert(homes.begin(), pointed);
  }
  std::vector<fs::path> roots;
  for (const fs::path& home : homes) {
    const fs::path folder = downloads_folder(home);
    roots.push_back(folder.is_absolute() ? folder : home / "models");
  }
  return roots;
}

}  // namespace assay
