#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

namespace assay {

/// A part of a split model by its file's name: `big-00002-of-00003.gguf`.
struct SplitName {
  std::string prefix;  ///< `big`
  int64_t no = 1;      ///< From 1 on.
  int64_t count = 1;
};

/// Absent for a name without such an end, and for numbers that make no sense.
std::optional<SplitName> parse_split_name(std::string_view file_name);
std::string split_file_name(const SplitName& part);

/// Parts that are looked for in one set.
inline constexpr int64_t kMaxParts = 1000;

}  // namespace assay
