#include "registry/scan.h"

#include <fmt/format.h>

#include <algorithm>
#include <map>
#include <optional>
#include <set>
#include <system_error>
#include <utility>

#include "registry/describe.h"
#include "registry/projectors.h"

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

namespace {

/// Models that have to be read in this pass, those that may be the same as another first.
std::vector<RegisteredModel*> to_digest(std::vector<RegisteredModel>& models, int64_t most_bytes) {
  std::map<int64_t, int64_t> of_size;
  for (const RegisteredModel& model : models) {
    if (model.state == ModelState::kWhole) ++of_size[model.bytes];
  }
  std::vector<RegisteredModel*> wanted;
  for (RegisteredModel& model : models) {
    if (model.state == ModelState::kWhole && !model.digest) wanted.push_back(&model);
  }
  std::ranges::stable_partition(
      wanted, [&](const RegisteredModel* model) { return of_size[model->bytes] > 1; });
  int64_t total = 0;
  bool is_first = true;
  std::erase_if(wanted, [&](const RegisteredModel* model) {
    if (!is_first && total + model->bytes > most_bytes) return true;
    is_first = false;
    total += model->bytes;
    return false;
  });
  return wanted;
}

}  // namespace

Result<void> add_digests(std::vector<RegisteredModel>& models, DigestCache& cache,
                         const std::function<bool(const DigestsDone&)>& progress,
                         int64_t most_bytes) {
  DigestsDone state;
  const std::vector<RegisteredModel*> wanted = to_digest(models, most_bytes);
  for (const RegisteredModel* model : wanted) state.total_bytes += model->bytes;
  for (RegisteredModel* model : wanted) {
    state.model = model;
    int64_t before = state.done_bytes;
    for (const fs::path& file : model->listed.files) {
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
    model->digest = known_digest(*model, cache);
  }
  return {};
}

}  // namespace assay
