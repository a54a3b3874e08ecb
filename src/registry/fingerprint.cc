#include "registry/fingerprint.h"

#include <fmt/format.h>

#include "base/ids.h"
#include "base/text.h"

namespace assay {

std::string model_fingerprint(std::string_view place, std::string_view relative_path) {
  const std::string path = to_lower(relative_path);
  return sha1_hex(place == kNamedDirectory ? path : fmt::format("{}/{}", place, path));
}

std::string file_fingerprint(const std::filesystem::path& file, const Surroundings& where) {
  const std::filesystem::path path = file.lexically_normal();
  for (const Place& place : places()) {
    for (const std::filesystem::path& root : place.roots(where)) {
      const std::string below = path.lexically_relative(root.lexically_normal()).generic_string();
      if (below.empty() || below == "." || below.starts_with("..")) continue;
      return place.name == "ollama" ? std::string() : model_fingerprint(place.name, below);
    }
  }
  return model_fingerprint(kNamedDirectory, path.filename().string());
}

}  // namespace assay
