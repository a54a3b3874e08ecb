#include "registry/place.h"

namespace assay {

std::vector<std::filesystem::path> llamacpp_roots(const Surroundings& where) {
  if (const std::string cache = where.variable("LLAMA_CACHE"); !cache.empty()) return {cache};
  const std::string xdg = where.variable("XDG_CACHE_HOME");
  if (!xdg.empty()) return {std::filesystem::path(xdg) / "llama.cpp"};
  if (where.home.empty()) return {};
  return {where.home / ".cache/llama.cpp"};
}

}  // namespace assay
