#pragma once

#include <filesystem>
#include <optional>
#include <string>
#include <vector>

namespace assay {

/// What git says of the tree that a folder belongs to. Nothing is known outside of one.
struct TreeState {
  std::string top;  ///< The tree's uppermost folder; empty outside of one.
  std::string sha;  ///< 40 hex digits; empty outside of a tree, and before its first commit.
  std::optional<bool> dirty;
  std::vector<std::string> changes;  ///< As `git status --porcelain` has them: ` M file`.
};
inline constexpr size_t kMaxChanges = 200;  ///< More are told by their number.

/// Asks git; each of its three answers may take 10 s.
TreeState read_tree(const std::filesystem::path& folder);

}  // namespace assay
