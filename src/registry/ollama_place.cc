#include <fmt/format.h>

#include <algorithm>
#include <system_error>

#include "base/files.h"
#include "base/ids.h"
#include "registry/ollama_manifest.h"
#include "registry/place.h"

namespace assay {
namespace {

namespace fs = std::filesystem;

constexpr int64_t kMaxManifestBytes = 4 << 20;
constexpr size_t kMaxManifests = 10'000;

/// Absent when it is not there. Stores of old versions have `:` in their names.
std::optional<fs::path> blob(const fs::path& root, const std::string& sha256) {
  std::error_code error;
  for (const char mark : {'-', ':'}) {
    const fs::path path = root / "blobs" / fmt::format("sha256{}{}", mark, sha256);
    if (fs::is_regular_file(path, error)) return path;
  }
  return std::nullopt;
}

/// Absent for a remote model, which has no files here.
std::optional<ListedModel> listed(const fs::path& root, const fs::path& path,
                                  const std::string& name) {
  ListedModel model;
  model.root = root;
  model.path = path.lexically_relative(root).generic_string();
  model.name = name;
  const auto text = read_file(path, kMaxManifestBytes);
  if (!text) {
    model.problem = text.error().message;
    return model;
  }
  model.engine_digest = sha256_hex(*text);
  const auto manifest = parse_ollama_manifest(*text);
  if (!manifest) {
    model.problem = fmt::format("{}: {}", path.string(), manifest.error().message);
    return model;
  }
  if (!manifest->model) {
    if (!manifest->has_tensors) return std::nullopt;
    model.problem = "its weights are no GGUF file but single tensors";
    return model;
  }
  model.digest = manifest->model;
  if (const auto file = blob(root, *manifest->model)) {
    model.files = {*file};
  } else {
    model.missing = {fmt::format("blobs/sha256-{}", *manifest->model)};
  }
  if (manifest->projector) model.projector = blob(root, *manifest->projector);
  return model;
}

}  // namespace

std::vector<fs::path> ollama_roots(const Surroundings& where) {
  if (const std::string store = where.variable("OLLAMA_MODELS"); !store.empty()) return {store};
  std::vector<fs::path> roots;
  if (!where.home.empty()) roots.push_back(where.home / ".ollama/models");
  // Where the service that Ollama's installer sets up keeps its own.
  roots.push_back(where.system / "usr/share/ollama/.ollama/models");
  return roots;
}

Listing list_ollama(const fs::path& root) {
  Listing listing;
  const fs::path manifests = root / "manifests";
  std::error_code error;
  if (!fs::exists(manifests, error)) return listing;
  size_t count = 0;
  fs::recursive_directory_iterator entry(manifests, error);
  for (; !error && entry != fs::recursive_directory_iterator(); entry.increment(error)) {
    std::error_code gone;
    if (!entry->is_regular_file(gone)) continue;
    const auto name = ollama_name(entry->path().lexically_relative(manifests).generic_string());
    if (!name) continue;
    if (++count > kMaxManifests) {
      listing.problems.push_back(
          fmt::format("{} holds more than {} manifests", manifests.string(), kMaxManifests));
      break;
    }
    if (auto model = listed(root, entry->path(), *name)) {
      listing.models.push_back(std::move(*model));
    }
  }
  if (error) {
    listing.problems.push_back(
        fmt::format("cannot scan {}: {}", manifests.string(), error.message()));
  }
  std::ranges::sort(listing.models, {}, &ListedModel::path);
  return listing;
}

}  // namespace assay
