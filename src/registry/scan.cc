#include "registry/scan.h"

#include <fmt/format.h>

#include <map>
#include <optional>
#include <set>
#include <system_error>
#include <utility>

#include "registry/describe.h"

namespace assay {
namespace {

namespace fs = std::filesystem;

/// Every root once, also when two places or two names mean the same directory.
std::vector<std::pair<const Place*, fs::path>> all_roots(const Surroundings& where) {
  std::vector<std::pair<const Place*, fs::path>> roots;
  std::set<fs::path> seen;
  for (const Place& place : places()) {
    for (const fs::path& root : place.roots(where)) {
      std::error_code error;
      const fs::path real = fs::weakly_canonical(fs::absolute(root, error), error);
      if (!error && seen.insert(real).second) roots.emplace_back(&place, real);
    }
  }
  return roots;
}

/// What the parts' digests make, as far as all are known.
std::optional<std::string> known_digest(const RegisteredModel& model, const DigestCache& cache) {
  std::vector<std::string> parts;
  for (const fs::path& file : model.listed.files) {
    auto digest = cache.find(file);
    if (!digest) return std::nullopt;
    parts.push_back(std::move(*digest));
  }
  return parts.empty() ? std::nullopt : std::optional(set_digest(parts));
}

/// A projector serves the models of its directory.
void give_projectors(std::vector<RegisteredModel>& models) {
  std::map<fs::path, fs::path> by_directory;
  for (const RegisteredModel& model : models) {
    if (model.kind != ModelKind::kProjector || model.state != ModelState::kWhole) continue;
    const fs::path& file = model.listed.files.front();
    by_directory.emplace(file.parent_path(), file);
  }
  for (RegisteredModel& model : models) {
    if (model.listed.projector || model.listed.files.empty()) continue;
    if (model.kind != ModelKind::kText) continue;
    const auto found = by_directory.find(model.listed.files.front().parent_path());
    if (found != by_directory.end()) model.listed.projector = found->second;
  }
}

class Scanner {
 public:
  Scanner(const DigestCache& cache, const ScanProgress& progress)
      : cache_(cache), progress_(progress) {}

  void visit(const Place& place, const fs::path& path) {
    ScannedRoot root{std::string(place.name), path, {}, false};
    std::error_code error;
    if (!fs::is_directory(path, error)) {
      // The usual places need not be there; a directory that a person named should.
      if (place.name != kNamedDirectory) return;
      root.problems.push_back(fmt::format("there is no directory {}", path.string()));
      scan_.roots.push_back(std::move(root));
      return;
    }
    Listing listing = place.list(path);
    root.problems = std::move(listing.problems);
    root.scanned = root.problems.empty();
    std::vector<RegisteredModel> found;
    for (ListedModel& listed : listing.models) {
      listed.place = place.name;
      // A directory within another: its files were there already.
      if (!listed.files.empty() && !files_.insert(path / listed.path).second) continue;
      if (progress_) progress_(listed.name);
      RegisteredModel model = describe_model(std::move(listed));
      if (!model.digest && model.state == ModelState::kWhole) {
        model.digest = known_digest(model, cache_);
      }
      const auto [first, fresh] = identities_.emplace(model.fingerprint, path / model.listed.path);
      if (!fresh) {
        model.state = ModelState::kShadowed;
        model.reason =
            fmt::format("it has the same path below its directory as {}, which comes first",
                        first->second.string());
      }
      found.push_back(std::move(model));
    }
    give_projectors(found);
    for (RegisteredModel& model : found) scan_.models.push_back(std::move(model));
    scan_.roots.push_back(std::move(root));
  }

  Scan take() { return std::move(scan_); }

 private:
  const DigestCache& cache_;
  const ScanProgress& progress_;
  Scan scan_;
  std::set<fs::path> files_;
  std::map<std::string, fs::path> identities_;  // Fingerprint to the first path that has it.
};

}  // namespace

Scan scan_models(const Surroundings& where, const DigestCache& cache,
                 const ScanProgress& progress) {
  Scanner scanner(cache, progress);
  for (const auto& [place, path] : all_roots(where)) scanner.visit(*place, path);
  return scanner.take();
}

Result<void> add_digests(std::vector<RegisteredModel>& models, DigestCache& cache,
                         const std::function<bool(const DigestsDone&)>& progress) {
  DigestsDone state;
  const auto is_wanted = [](const RegisteredModel& model) {
    return model.state == ModelState::kWhole && !model.digest;
  };
  for (const RegisteredModel& model : models) {
    if (is_wanted(model)) state.total_bytes += model.bytes;
  }
  for (RegisteredModel& model : models) {
    if (!is_wanted(model)) continue;
    state.model = &model;
    int64_t before = state.done_bytes;
    for (const fs::path& file : model.listed.files) {
      if (cache.find(file)) continue;
      int64_t of_file = 0;
      const auto digest = file_sha256(file, [&](int64_t done) {
        of_file = done;
        state.done_bytes = before + done;
        return !progress || progress(state);
      });
      before += of_file;
      if (!digest && digest.error().code == Errc::kCancelled) return fail(digest.error());
      if (digest) cache.keep(file, *digest);
    }
    model.digest = known_digest(model, cache);
  }
  return {};
}

}  // namespace assay
