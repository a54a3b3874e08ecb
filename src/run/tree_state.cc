#include "run/tree_state.h"

#include <fmt/format.h>

#include "base/text.h"
#include "process/command.h"

namespace assay {
namespace {

constexpr Nanos kTimeout = std::chrono::seconds(10);

std::optional<std::string> git(const std::filesystem::path& folder,
                               std::vector<std::string> arguments) {
  std::vector<std::string> all{"git", "-C", folder.empty() ? "." : folder.string()};
  for (std::string& argument : arguments) all.push_back(std::move(argument));
  auto done = run_command(all, "", kTimeout);
  if (!done || done->exit_code != 0) return std::nullopt;
  return std::move(done->output);
}

}  // namespace

TreeState read_tree(const std::filesystem::path& folder) {
  TreeState tree;
  if (const auto top = git(folder, {"rev-parse", "--show-toplevel"})) tree.top = trim(*top);
  if (const auto sha = git(folder, {"rev-parse", "--verify", "HEAD"})) tree.sha = trim(*sha);
  const auto status = git(folder, {"status", "--porcelain"});
  if (!status) return tree;
  size_t more = 0;
  for (size_t at = 0; at < status->size();) {
    const size_t end = std::min(status->find('\n', at), status->size());
    if (tree.changes.size() < kMaxChanges) {
      tree.changes.push_back(printable(std::string_view(*status).substr(at, end - at), 300));
    } else {
      ++more;
    }
    at = end + 1;
  }
  tree.dirty = !tree.changes.empty();
  if (more > 0) tree.changes.push_back(fmt::format("and {} more", more));
  return tree;
}

}  // namespace assay
