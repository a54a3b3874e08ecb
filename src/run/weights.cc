#include "run/weights.h"

#include <fmt/format.h>

#include <algorithm>
#include <map>
#include <optional>
#include <set>
#include <string>
#include <system_error>
#include <vector>

#include "base/text.h"
#include "net/url.h"
#include "registry/content_digest.h"
#include "registry/fingerprint.h"
#include "registry/place.h"
#include "registry/same_weights.h"
#include "registry/scan.h"

namespace assay {
namespace {

namespace fs = std::filesystem;

/// The file behind a cell and what is known of it.
struct Weights {
  fs::path file;                      ///< Empty where it is not one file that is known.
  std::optional<int64_t> bytes = {};  ///< Of it.
  std::string digest = {};
  std::string fingerprint = {};
};

bool is_local(const LiveCell& live) {
  const auto url = parse_url(live.cell.url);
  return live.cell.managed || (url && url->is_loopback());
}

/// The file that a cell is known to read, without a look at the registry.
fs::path known_file(const LiveCell& live) {
  fs::path file = live.model_file.empty() ? live.served_file : live.model_file;
  std::error_code missing;
  return file.is_absolute() && fs::is_regular_file(file, missing) ? file : fs::path();
}

/// As the registry knows a model by its name towards the server. Another machine's may be another
/// file of that name, unless the server tells its digest.
Weights registered(const Scan& scan, const LiveCell& live) {
  const ServedName served{live.cell.kind, live.cell.model, live.cell.digest};
  if (!is_local(live) && served.digest.empty()) return {};
  const RegisteredModel* model = served_model(scan.models, served);
  if (model == nullptr) return {};
  Weights found;
  found.bytes = model->bytes;
  found.digest = model->digest.value_or("");
  found.fingerprint = model->fingerprint;
  if (is_local(live) && model->listed.files.size() == 1) found.file = model->listed.files.front();
  return found;
}

/// Whether two cells are one model of one server; combinations of a matrix are.
bool is_same_target(const Cell& a, const Cell& b) {
  const bool ours = a.managed && b.managed;
  return a.kind == b.kind && a.model == b.model && (ours || a.url == b.url);
}

/// Whether a cell's file has to be read: that of another target is as large.
bool has_rival(const Session& session, const std::vector<Weights>& all, size_t mine) {
  for (size_t i = 0; i < all.size(); ++i) {
    if (!all[i].bytes || all[i].bytes != all[mine].bytes) continue;
    if (!is_same_target(session.cells[i].cell, session.cells[mine].cell)) return true;
  }
  return false;
}

/// Digests of the files that have to be read, by their paths.
std::map<fs::path, std::string> read_digests(const Session& session,
                                             const std::vector<Weights>& all, DigestCache& cache,
                                             const OnNote& note) {
  std::map<fs::path, std::string> digests;
  std::set<fs::path> wanted;
  int64_t total = 0;
  for (size_t i = 0; i < all.size(); ++i) {
    const Weights& one = all[i];
    if (!one.digest.empty() || one.file.empty() || !has_rival(session, all, i)) continue;
    if (wanted.insert(one.file).second) total += one.bytes.value_or(0);
  }
  if (wanted.empty()) return digests;
  if (total > kMostBytesRead) {
    note(fmt::format("files of {} may hold the same weights: 'assay models scan' reads them",
                     bytes_text(total)));
    return digests;
  }
  note(fmt::format("reading {} to know whether the weights are the same", bytes_text(total)));
  for (const fs::path& file : wanted) {
    const auto digest = file_sha256(file, {});
    if (!digest) continue;
    cache.keep(file, *digest);
    digests[file] = *digest;
  }
  return digests;
}

}  // namespace

void note_weights(const fs::path& data_dir, const RunSpec& spec, Session& session,
                  const OnNote& note) {
  const Surroundings where = surroundings(spec.models_dir);
  DigestCache cache = DigestCache::load(data_dir);
  std::optional<Scan> scan;
  std::vector<Weights> all;
  for (const LiveCell& live : session.cells) {
    Weights weights;
    weights.file = known_file(live);
    if (weights.file.empty() && live.cell.unavailable.empty()) {
      if (!scan) scan = scan_models(where, cache);
      weights = registered(*scan, live);
    } else if (!weights.file.empty()) {
      weights.fingerprint = file_fingerprint(weights.file, where);
    }
    std::error_code gone;
    if (!weights.file.empty() && !weights.bytes) {
      weights.bytes = static_cast<int64_t>(fs::file_size(weights.file, gone));
    }
    if (weights.digest.empty() && !weights.file.empty()) {
      weights.digest = cache.find(weights.file).value_or("");
    }
    all.push_back(std::move(weights));
  }
  const auto read = read_digests(session, all, cache, note);
  for (size_t i = 0; i < all.size(); ++i) {
    const auto found = read.find(all[i].file);
    session.cells[i].cell.fingerprint = all[i].fingerprint;
    session.cells[i].cell.weights = found != read.end() ? found->second : all[i].digest;
  }
}

}  // namespace assay
