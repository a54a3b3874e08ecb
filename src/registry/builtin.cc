#include <cstdlib>

#include "registry/place.h"

namespace assay {

const std::vector<Place>& places() {
  static const std::vector<Place> table{
      {kNamedDirectory, "directories of models-dir", directory_roots, list_directory},
      {"lmstudio", "LM Studio's models folder", lmstudio_roots, list_directory},
      {"llamacpp", "llama.cpp's download cache", llamacpp_roots, list_directory},
      {"ollama", "Ollama's store, by its manifests", ollama_roots, list_ollama},
  };
  return table;
}

Surroundings surroundings(const std::vector<std::string>& models_dirs) {
  Surroundings where;
  where.variable = [](const char* name) -> std::string {
    const char* value = std::getenv(name);
    return value == nullptr ? "" : value;
  };
  where.home = where.variable("HOME");
  where.models_dirs.assign(models_dirs.begin(), models_dirs.end());
  return where;
}

}  // namespace assay
