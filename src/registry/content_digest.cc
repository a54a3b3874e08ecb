#include "registry/content_digest.h"

#include <fcntl.h>
#include <fmt/format.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cerrno>
#include <nlohmann/json.hpp>
#include <system_error>
#include <vector>

#include "base/files.h"
#include "base/ids.h"

namespace assay {
namespace {

namespace fs = std::filesystem;
using Json = nlohmann::json;

constexpr size_t kReadBytes = 1 << 20;
constexpr int64_t kMaxCacheBytes = 64 << 20;

tl::unexpected<Error> cannot_read(const fs::path& path, int why) {
  return fail(why == ENOENT ? Errc::kNotFound : Errc::kIo,
              fmt::format("cannot read {}: {}", path.string(), errno_text(why)));
}

}  // namespace

Result<std::string> file_sha256(const fs::path& path, const DigestProgress& progress) {
  const Fd file(::open(path.c_str(), O_RDONLY | O_CLOEXEC));
  if (!file.valid()) return cannot_read(path, errno);
  Sha256 digest;
  std::vector<char> buffer(kReadBytes);
  for (int64_t done = 0;;) {
    const ssize_t got = ::read(file.get(), buffer.data(), buffer.size());
    if (got < 0 && errno == EINTR) continue;
    if (got < 0) return cannot_read(path, errno);
    if (got == 0) return digest.hex();
    digest.add({buffer.data(), static_cast<size_t>(got)});
    done += got;
    if (progress && !progress(done)) {
      return fail(Errc::kCancelled, fmt::format("stopped reading {}", path.string()));
    }
  }
}

std::string set_digest(std::span<const std::string> parts) {
  if (parts.size() == 1) return parts.front();
  std::string lines;
  for (const std::string& part : parts) lines += part + "\n";
  return sha256_hex(lines);
}

DigestCache DigestCache::load(const fs::path& data_dir) {
  DigestCache cache;
  cache.file_ = data_dir / "digests.json";
  const auto text = read_file(cache.file_, kMaxCacheBytes);
  const auto json = text ? Json::parse(*text, nullptr, false) : Json();
  if (!json.is_object() || !json.contains("files") || !json["files"].is_array()) return cache;
  try {
    for (const Json& file : json["files"]) {
      cache.entries_[file.at("path")] = {file.at("bytes"), file.at("mtime_ns"), file.at("sha256")};
    }
  } catch (const Json::exception&) {
    cache.entries_.clear();
  }
  return cache;
}

std::optional<DigestCache::Entry> DigestCache::entry_of(const fs::path& path) {
  struct stat status {};
  if (::stat(path.c_str(), &status) != 0) return std::nullopt;
  return Entry{status.st_size,
               int64_t{status.st_mtim.tv_sec} * 1'000'000'000 + int64_t{status.st_mtim.tv_nsec},
               {}};
}

std::optional<std::string> DigestCache::find(const fs::path& path) const {
  const auto known = entries_.find(path.string());
  if (known == entries_.end()) return std::nullopt;
  const auto now = entry_of(path);
  if (!now || now->bytes != known->second.bytes || now->mtime_ns != known->second.mtime_ns) {
    return std::nullopt;
  }
  return known->second.sha256;
}

void DigestCache::keep(const fs::path& path, const std::string& digest) {
  auto entry = entry_of(path);
  if (!entry) return;
  entry->sha256 = digest;
  entries_[path.string()] = std::move(*entry);
  save();
}

void DigestCache::save() {
  std::erase_if(entries_, [](const auto& known) {
    std::error_code error;
    return !fs::exists(known.first, error);
  });
  Json files = Json::array();
  for (const auto& [path, entry] : entries_) {
    files.push_back({{"path", path},
                     {"bytes", entry.bytes},
                     {"mtime_ns", entry.mtime_ns},
                     {"sha256", entry.sha256}});
  }
  const Json json{{"schema", "assay.digests/1"}, {"files", std::move(files)}};
  if (!make_directories(file_.parent_path())) return;
  (void)write_file_atomic(file_, json.dump(1, ' ', false, Json::error_handler_t::replace) + "\n");
}

}  // namespace assay
