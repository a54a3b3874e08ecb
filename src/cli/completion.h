#pragma once

#include <cstdint>
#include <functional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

namespace assay {

/// A word that may stand where one is being typed.
struct Candidate {
  std::string word;
  std::string help;  ///< One line, or empty.
};

struct Completion {
  /// Paths that fit too. They are the shell's to find.
  enum class Paths : uint8_t { kNone, kFiles, kDirectories };
  std::vector<Candidate> candidates;  ///< Each begins with what was typed.
  Paths paths = Paths::kNone;
};

/// Names that only the data directory knows; read when one of them is asked for.
struct KeptNames {
  std::function<std::vector<Candidate>()> runs;
  std::function<std::vector<Candidate>()> baselines;
};

/// What can be the last of `words`, which stand behind the program's name; the last one is being
/// typed and may be empty. Comes from the command table, the option list and the lists behind their
/// values. Without words there is nothing.
Completion complete(std::span<const std::string> words, const KeptNames& kept);

/// The shells that `completion_script` knows.
std::vector<std::string_view> completion_shells();

/// A script that has its shell ask `assay completion words -- WORD…` at each Tab; empty for a shell
/// that is not known.
std::string_view completion_script(std::string_view shell);

}  // namespace assay
