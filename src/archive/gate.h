#pragma once

#include <cstdint>
#include <filesystem>
#include <string>
#include <vector>

#include "archive/private_text.h"
#include "base/result.h"

namespace assay {

/// Something private in a file that is to be published.
struct GateFinding {
  std::string file;  ///< Below the folder that was looked at.
  int64_t line = 0;  ///< From 1.
  std::string kind;
  std::string text;
};

struct GateResult {
  int64_t files = 0;
  int64_t total = 0;  ///< Findings, those beyond kMaxFindings too.
  std::vector<GateFinding> findings;

  /// What was seen elsewhere.
  void add(GateResult other);
};
inline constexpr int64_t kMaxFindings = 100;

/// Looks at every file below `folder`, whatever it is, save what git keeps in `.git`: JSON by its
/// decoded strings, everything else line by line. kIo for a file that cannot be read: what was not
/// looked at does not pass.
Result<GateResult> look_for_private(const std::filesystem::path& folder, const Privacy& privacy);

}  // namespace assay
