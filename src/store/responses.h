#pragma once

#include <cstddef>
#include <cstdint>
#include <filesystem>
#include <string>
#include <vector>

#include "base/result.h"

namespace assay {

/// The text of one answer; becomes a line of responses.jsonl.
struct ResponseText {
  int64_t index = 0;  ///< Of the planned call.
  int64_t attempt = 1;
  std::string text;        ///< Any length; its line keeps the first kMaxResponseBytes.
  bool truncated = false;  ///< Set when read back: the answer was longer.
};

/// At most this much text of an answer is kept, cut at a UTF-8 character.
inline constexpr size_t kMaxResponseBytes = 64 << 10;

/// `{"index":…,"attempt":…,"text":…,"truncated":…}` without line end.
std::string response_line(const ResponseText& response);

/// All answers in file order; a call that was done again after a resume has several, of which the
/// last counts. Empty when there is no file. Torn and damaged lines are passed over.
Result<std::vector<ResponseText>> read_responses(const std::filesystem::path& path);

}  // namespace assay
