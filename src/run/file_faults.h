#pragma once

#include <fmt/format.h>

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

namespace assay {

/// Collects what is wrong with a file, so that it is told at once: `file:line: what`.
struct FileFaults {
  static constexpr size_t kMost = 20;  ///< Further ones are left out.
  std::string file;
  std::vector<std::string> lines;

  void add(int64_t line, std::string_view what) {
    if (lines.size() < kMost) lines.push_back(fmt::format("{}:{}: {}", file, line, what));
  }
};

}  // namespace assay
