#include "archive/publish.h"

#include <fmt/format.h>
#include <stdlib.h>

#include <utility>

#include "archive/package.h"
#include "base/files.h"

namespace assay {
namespace {

namespace fs = std::filesystem;

/// A folder beside the archive in which packages are made; gone with all it holds at the end. What
/// a crash leaves there was not looked at, so it must not lie where others take it from.
class Staging {
 public:
  static Result<Staging> open(const fs::path& archive) {
    const fs::path whole = fs::absolute(archive).lexically_normal();
    std::string pattern = (whole.has_filename() ? whole : whole.parent_path()).string();
    pattern += ".new-XXXXXX";  // mkdtemp() puts six letters there.
    if (mkdtemp(pattern.data()) == nullptr) {
      return fail(Errc::kIo, fmt::format("no folder can be made beside {}", archive.string()));
    }
    return Staging(pattern);
  }
  Staging(Staging&& other) noexcept : path_(std::exchange(other.path_, {})) {}
  Staging& operator=(Staging&&) = delete;
  Staging(const Staging&) = delete;
  Staging& operator=(const Staging&) = delete;
  ~Staging() {
    std::error_code ignored;
    if (!path_.empty()) fs::remove_all(path_, ignored);
  }

  [[nodiscard]] const fs::path& path() const { return path_; }

 private:
  explicit Staging(fs::path path) : path_(std::move(path)) {}

  fs::path path_;
};

void merge(const Privacy& from, Privacy& into) {
  into.known.insert(from.known.begin(), from.known.end());
  into.versions.insert(from.versions.begin(), from.versions.end());
  into.names.insert(from.names.begin(), from.names.end());
  into.accepted.insert(from.accepted.begin(), from.accepted.end());
}

bool same_files(const fs::path& a, const fs::path& b) {
  for (const char* name : {"run.jsonl", "metadata.json"}) {
    const auto one = read_file(a / name, int64_t{4} << 30);
    const auto other = read_file(b / name, int64_t{4} << 30);
    if (!one || !other || *one != *other) return false;
  }
  return true;
}

struct Packed {
  Package package;
  PublishedRun run;
};

Result<Packed> pack(const PublishRequest& request, const fs::path& ledger, const fs::path& staging,
                    size_t number) {
  const fs::path folder = staging / fmt::format("{}", number);
  if (auto made = make_directories(folder); !made) return fail(made.error());
  auto package = package_run(ledger, request.aliases, folder);
  if (!package) return fail(package.error());
  Packed packed;
  packed.run.run_id = package->run_id;
  packed.run.folder = request.archive / "runs" / package->run_id;
  packed.run.unreliable = package->unreliable;
  packed.run.replaced = package->replaced;
  if (fs::exists(packed.run.folder)) {
    packed.run.was_there = same_files(folder, packed.run.folder);
    if (!packed.run.was_there) {
      return fail(Errc::kConflict,
                  fmt::format("{} is there already, and differs", packed.run.folder.string()),
                  "published runs are kept as they are; remove that folder to publish anew");
    }
  }
  packed.package = std::move(*package);
  return packed;
}

Result<void> move_in(const Packed& packed) {
  if (packed.run.was_there) return {};
  std::error_code error;
  fs::create_directories(packed.run.folder.parent_path(), error);
  if (!error) fs::rename(packed.package.folder, packed.run.folder, error);
  if (!error) return {};
  return fail(Errc::kIo,
              fmt::format("{} cannot be made: {}", packed.run.folder.string(), error.message()));
}

}  // namespace

Result<PublishResult> publish(const PublishRequest& request) {
  if (auto made = make_directories(request.archive); !made) return fail(made.error());
  const auto say = [&](const std::string& line) {
    if (request.note) request.note(line);
  };
  const auto staging = Staging::open(request.archive);
  if (!staging) return fail(staging.error());
  Privacy privacy;
  add_public_names(request.archive, privacy);
  PublishResult result;
  std::vector<Packed> packed;
  for (const fs::path& ledger : request.ledgers) {
    say(fmt::format("packing {}", short_path(ledger)));
    auto one = pack(request, ledger, staging->path(), packed.size());
    if (!one) return fail(one.error());
    merge(one->package.privacy, privacy);
    result.runs.push_back(one->run);
    packed.push_back(std::move(*one));
  }
  say("looking for what must not be published");
  for (const fs::path& folder : {staging->path(), request.archive}) {
    auto gate = look_for_private(folder, privacy);
    if (!gate) return fail(gate.error());
    result.gate.add(std::move(*gate));
  }
  if (result.gate.total > 0 || request.dry_run) return result;
  for (const Packed& one : packed) {
    if (auto moved = move_in(one); !moved) return fail(moved.error());
  }
  if (auto written = write_archive_texts(request.archive); !written) return fail(written.error());
  const auto counts = write_catalogue(request.archive);
  if (!counts) return fail(counts.error());
  result.catalogue = *counts;
  return result;
}

}  // namespace assay
