#pragma once

#include <sys/types.h>

#include <cstddef>
#include <cstdint>
#include <filesystem>
#include <string_view>

#include "base/files.h"
#include "base/result.h"

namespace assay {

/// The system calls that bring bytes to disk. Tests replace them to make the k-th one fail; each
/// has its namesake's contract and is called on the thread that uses the file.
struct FileCalls {
  ssize_t (*write)(int fd, const void* bytes, size_t count);
  int (*fdatasync)(int fd);
  int (*ftruncate)(int fd, off_t length);
};
extern const FileCalls kSystemFileCalls;

/// A file of whole lines that only grows. An append is there completely or not at all, so that a
/// caller may repeat a failed one without making duplicates. One thread at a time.
class AppendFile {
 public:
  enum class Open : uint8_t {
    kCreate,    ///< kConflict when it exists.
    kExisting,  ///< kNotFound when it does not.
    kEither,    ///< A last line without line end is cut off.
  };
  /// Opens with O_CLOEXEC and mode 0644; a new file's directory entry is synced too. kConflict when
  /// another open AppendFile, in any process, holds the same file.
  static Result<AppendFile> open(const std::filesystem::path& path, Open how,
                                 const FileCalls& calls = kSystemFileCalls);

  /// Appends text that ends with a line end, in one write where the system takes it whole. On kIo
  /// the file ends where it did before and the message says how many bytes could not be placed; a
  /// later append works again. Nothing is durable before sync().
  Result<void> append(std::string_view lines);

  /// Everything appended is on the disk. On kIo the file is cut back to what was durable before:
  /// the system may have dropped the rest already, so it has to be appended again.
  Result<void> sync();

  /// Drops everything from `size` on. `size` is at most size().
  Result<void> truncate(int64_t size);

  [[nodiscard]] int64_t size() const { return size_; }
  [[nodiscard]] int64_t durable_size() const { return durable_; }
  [[nodiscard]] const std::filesystem::path& path() const { return path_; }
  [[nodiscard]] int fd() const { return fd_.get(); }

 private:
  AppendFile(std::filesystem::path path, Fd fd, const FileCalls& calls, int64_t size);

  std::filesystem::path path_;
  Fd fd_;
  FileCalls calls_;
  int64_t size_ = 0;        ///< Where the last whole line ends.
  int64_t durable_ = 0;     ///< As far as the last successful sync reached.
  bool dirty_end_ = false;  ///< Bytes beyond size_ are left that could not be cut yet.
};

/// Whether some process holds the file open as an AppendFile: its run is still going on.
bool is_being_written(const std::filesystem::path& path);

/// Makes a directory's new and renamed entries durable.
Result<void> sync_directory(const std::filesystem::path& directory);

}  // namespace assay
