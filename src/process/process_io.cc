#include "process/process_io.h"

#include <fmt/format.h>

#include <charconv>
#include <string_view>

#include "base/files.h"
#include "base/text.h"

namespace assay {

namespace {

/// The whole number behind a key at a line's beginning.
std::optional<int64_t> number_behind(std::string_view key, const std::filesystem::path& file) {
  constexpr int64_t kMaxBytes = 16'384;
  const auto text = read_file(file, kMaxBytes);
  if (!text) return std::nullopt;
  for (const std::string& line : split(*text, '\n')) {
    if (!line.starts_with(key)) continue;
    const std::string_view value = trim(std::string_view(line).substr(key.size()));
    int64_t number = 0;
    const auto [end, error] = std::from_chars(value.data(), value.data() + value.size(), number);
    if (error == std::errc() && number >= 0) return number;
  }
  return std::nullopt;
}

}  // namespace

Result<int64_t> storage_read_bytes(pid_t pid, const std::filesystem::path& proc) {
  if (const auto bytes = number_behind("read_bytes:", proc / std::to_string(pid) / "io")) {
    return *bytes;
  }
  return fail(Errc::kUnavailable, "the kernel does not tell what the engine has read");
}

std::optional<int64_t> peak_memory_bytes(pid_t pid, const std::filesystem::path& proc) {
  constexpr int64_t kKiB = 1024;
  const auto kib = number_behind("VmHWM:", proc / std::to_string(pid) / "status");
  return kib ? std::optional(*kib * kKiB) : std::nullopt;
}

}  // namespace assay
