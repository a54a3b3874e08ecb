#include <fmt/format.h>
#include <sys/stat.h>

#include <algorithm>
#include <map>
#include <set>
#include <system_error>
#include <utility>

#include "base/files.h"
#include "base/text.h"
#include "registry/place.h"
#include "registry/split_name.h"

namespace assay {
namespace {

namespace fs = std::filesystem;

constexpr int kMaxDepth = 16;
constexpr size_t kMaxModelFiles = 100'000;

bool is_gguf(const fs::path& path) { return to_lower(path.extension().string()) == ".gguf"; }

/// Walks a tree, through links too, each directory once.
class Walk {
 public:
  explicit Walk(fs::path root, int deepest = kMaxDepth)
      : root_(std::move(root)), deepest_(deepest) {}

  Listing run() {
    visit(root_, 0);
    std::ranges::sort(listing_.models, {}, &ListedModel::path);
    return std::move(listing_);
  }

 private:
  using Parts = std::map<int64_t, fs::path>;  // By their number.

  void visit(const fs::path& directory, int depth) {
    struct stat status {};
    if (::stat(directory.c_str(), &status) != 0) return problem(directory, errno_text(errno));
    if (!seen_.insert({status.st_dev, status.st_ino}).second) return;
    if (depth > deepest_) return problem(directory, "it lies too deep");
    std::vector<fs::path> directories;
    std::map<std::pair<std::string, int64_t>, Parts> sets;  // By prefix and count.
    std::error_code error;
    fs::directory_iterator entry(directory, error);
    for (; !error && entry != fs::directory_iterator(); entry.increment(error)) {
      std::error_code broken_link;
      if (entry->is_directory(broken_link)) {
        if (deepest_ > 0) directories.push_back(entry->path());
      } else if (is_gguf(entry->path()) && entry->is_regular_file(broken_link)) {
        if (++files_ > kMaxModelFiles) return problem(directory, "there are too many model files");
        const auto part = parse_split_name(entry->path().filename().string());
        if (part && part->count > 1) {
          sets[{part->prefix, part->count}].emplace(part->no, entry->path());
        } else {
          add_file(entry->path(), part ? part->prefix : entry->path().stem().string());
        }
      }
    }
    if (error) problem(directory, error.message());
    for (const auto& [key, parts] : sets) add_set(directory, key.first, key.second, parts);
    std::ranges::sort(directories);
    for (const fs::path& below : directories) visit(below, depth + 1);
  }

  ListedModel listed(const fs::path& first_file, const std::string& stem) const {
    ListedModel model;
    model.root = root_;
    model.path = first_file.lexically_relative(root_).generic_string();
    model.name = (fs::path(model.path).parent_path() / stem).generic_string();
    return model;
  }

  void add_file(const fs::path& path, const std::string& stem) {
    ListedModel model = listed(path, stem);
    model.files = {path};
    listing_.models.push_back(std::move(model));
  }

  void add_set(const fs::path& directory, const std::string& prefix, int64_t count,
               const Parts& parts) {
    const auto first = parts.find(1);
    ListedModel model = listed(
        first != parts.end() ? first->second : directory / split_file_name({prefix, 1, count}),
        prefix);
    for (int64_t no = 1; no <= count; ++no) {
      const auto part = parts.find(no);
      if (part != parts.end()) {
        model.files.push_back(part->second);
      } else {
        model.missing.push_back(split_file_name({prefix, no, count}));
      }
    }
    listing_.models.push_back(std::move(model));
  }

  void problem(const fs::path& where, const std::string& what) {
    listing_.problems.push_back(fmt::format("cannot scan {}: {}", where.string(), what));
  }

  fs::path root_;
  int deepest_;  // Folders below the root.
  Listing listing_;
  std::set<std::pair<dev_t, ino_t>> seen_;
  size_t files_ = 0;
};

}  // namespace

std::vector<fs::path> directory_roots(const Surroundings& where) { return where.models_dirs; }

Listing list_directory(const fs::path& root) { return Walk(root).run(); }

Listing list_folder(const fs::path& folder) { return Walk(folder, 0).run(); }

}  // namespace assay
