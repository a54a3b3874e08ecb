#include "process/process_io.h"

#include <fmt/format.h>

#include <charconv>
#include <string_view>

#include "base/files.h"
#include "base/text.h"

namespace assay {

Result<int64_t> storage_read_bytes(pid_t pid, const std::filesystem::path& proc) {
  constexpr int64_t kMaxBytes = 4096;
  constexpr std::string_view kKey = "read_bytes:";
  const auto text = read_file(proc / std::to_string(pid) / "io", kMaxBytes);
  if (text) {
    for (const std::string& line : split(*text, '\n')) {
      if (!line.starts_with(kKey)) continue;
      const std::string_view value = trim(std::string_view(line).substr(kKey.size()));
      int64_t bytes = 0;
      const auto [end, error] = std::from_chars(value.data(), value.data() + value.size(), bytes);
      if (error == std::errc() && bytes >= 0) return bytes;
    }
  }
  return fail(Errc::kUnavailable, "the kernel does not tell what the engine has read");
}

}  // namespace assay
