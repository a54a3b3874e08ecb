#pragma once

#include <cstdint>
#include <filesystem>
#include <string>
#include <string_view>

#include "base/result.h"

namespace assay {

/// Owns a file descriptor; closes it once.
class Fd {
 public:
  Fd() = default;
  explicit Fd(int fd) : fd_(fd) {}
  Fd(Fd&& other) noexcept : fd_(other.release()) {}
  Fd& operator=(Fd&& other) noexcept;
  Fd(const Fd&) = delete;
  Fd& operator=(const Fd&) = delete;
  ~Fd();

  [[nodiscard]] int get() const { return fd_; }
  [[nodiscard]] bool valid() const { return fd_ >= 0; }
  int release() noexcept;

 private:
  int fd_ = -1;
};

/// The whole file. kNotFound, or kIo with the system's reason; above `max_bytes` it is
/// kInvalidArgument.
Result<std::string> read_file(const std::filesystem::path& path, int64_t max_bytes = 64 << 20);

/// Writes to a temporary file beside `path`, fsyncs, renames: readers see the old or the new whole.
Result<void> write_file_atomic(const std::filesystem::path& path, std::string_view content,
                               unsigned mode = 0644);

/// Writes all bytes, through short writes and EINTR.
Result<void> write_all(int fd, std::string_view bytes, std::string_view what);

Result<void> make_directories(const std::filesystem::path& path);

/// For people: `path` with the home directory as `~`.
std::string short_path(const std::filesystem::path& path);

/// The system's text for `errno_value`.
std::string errno_text(int errno_value);

}  // namespace assay
