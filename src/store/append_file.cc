#include "store/append_file.h"

#include <fcntl.h>
#include <fmt/format.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <utility>

#include "base/check.h"

namespace assay {
namespace {

/// A lock that belongs to the open file, not to the process: two opens conflict in one process too,
/// and closing another descriptor of the same file does not free it.
struct flock whole_file_lock(short type) {
  struct flock lock {};
  lock.l_type = type;
  lock.l_whence = SEEK_SET;
  return lock;
}

Error system_error(std::string_view doing, const std::filesystem::path& path, int why) {
  return {Errc::kIo, fmt::format("cannot {} {}: {}", doing, path.string(), errno_text(why))};
}

/// Where the last line end stands, plus one; 0 when there is none.
Result<int64_t> end_of_last_line(int fd, int64_t size, const std::filesystem::path& path) {
  constexpr int64_t kBlock = 1 << 16;
  std::string block(kBlock, '\0');
  for (int64_t end = size; end > 0;) {
    const int64_t start = std::max<int64_t>(0, end - kBlock);
    const ssize_t got = ::pread(fd, block.data(), static_cast<size_t>(end - start), start);
    if (got < 0 && errno == EINTR) continue;
    if (got != end - start) return fail(system_error("read", path, got < 0 ? errno : EIO));
    const size_t found = std::string_view(block).substr(0, static_cast<size_t>(got)).rfind('\n');
    if (found != std::string_view::npos) return start + static_cast<int64_t>(found) + 1;
    end = start;
  }
  return 0;
}

}  // namespace

const FileCalls kSystemFileCalls{&::write, &::fdatasync, &::ftruncate};

AppendFile::AppendFile(std::filesystem::path path, Fd fd, const FileCalls& calls, int64_t size)
    : path_(std::move(path)), fd_(std::move(fd)), calls_(calls), size_(size), durable_(size) {}

Result<AppendFile> AppendFile::open(const std::filesystem::path& path, Open how,
                                    const FileCalls& calls) {
  int flags = O_RDWR | O_APPEND | O_CLOEXEC;
  if (how == Open::kCreate) flags |= O_CREAT | O_EXCL;
  if (how == Open::kEither) flags |= O_CREAT;
  Fd fd(::open(path.c_str(), flags, 0644));
  if (!fd.valid()) {
    Error error = system_error(how == Open::kCreate ? "create" : "open", path, errno);
    if (errno == EEXIST) error.code = Errc::kConflict;
    if (errno == ENOENT) error.code = Errc::kNotFound;
    return fail(std::move(error));
  }
  struct flock lock = whole_file_lock(F_WRLCK);
  // File systems without locks are let through: the run lock still stands.
  if (::fcntl(fd.get(), F_OFD_SETLK, &lock) != 0 && (errno == EAGAIN || errno == EACCES)) {
    return fail(Errc::kConflict, fmt::format("{} is being written already", path.string()),
                "wait for its run to end, or stop it");
  }
  struct stat status {};
  if (::fstat(fd.get(), &status) != 0) return fail(system_error("open", path, errno));
  int64_t size = status.st_size;
  if (how != Open::kExisting) {
    if (auto synced = sync_directory(path.parent_path()); !synced) return fail(synced.error());
  }
  AppendFile file(path, std::move(fd), calls, size);
  if (how == Open::kEither) {
    const auto whole = end_of_last_line(file.fd(), size, path);
    if (!whole) return fail(whole.error());
    if (*whole < size) {
      if (auto cut = file.truncate(*whole); !cut) return fail(cut.error());
    }
  }
  return file;
}

Result<void> AppendFile::append(std::string_view lines) {
  ASSAY_CHECK(lines.empty() || lines.back() == '\n');
  if (dirty_end_) {
    if (auto cut = truncate(size_); !cut) return cut;
  }
  std::string_view rest = lines;
  while (!rest.empty()) {
    const ssize_t put = calls_.write(fd_.get(), rest.data(), rest.size());
    if (put < 0 && errno == EINTR) continue;
    if (put <= 0) {
      const int why = put == 0 ? ENOSPC : errno;
      // A failure to cut leaves dirty_end_ set: the next append tries again before it writes.
      (void)truncate(size_);
      return fail(Errc::kIo,
                  fmt::format("cannot write to {}: {}; {} bytes are needed", path_.string(),
                              errno_text(why), lines.size()),
                  why == ENOSPC || why == EDQUOT ? "free some disk space" : "");
    }
    dirty_end_ = true;
    rest.remove_prefix(static_cast<size_t>(put));
  }
  dirty_end_ = false;
  size_ += static_cast<int64_t>(lines.size());
  return {};
}

Result<void> AppendFile::sync() {
  while (calls_.fdatasync(fd_.get()) != 0) {
    if (errno == EINTR) continue;
    const int why = errno;
    // After a failed sync the kernel calls the lost pages clean: a second sync would succeed
    // without writing them. Only writing them again makes them durable.
    (void)truncate(durable_);
    return fail(system_error("sync", path_, why));
  }
  durable_ = size_;
  return {};
}

Result<void> AppendFile::truncate(int64_t size) {
  ASSAY_CHECK(size <= size_);
  size_ = size;
  durable_ = std::min(durable_, size);
  dirty_end_ = true;
  while (calls_.ftruncate(fd_.get(), size) != 0) {
    if (errno != EINTR) return fail(system_error("truncate", path_, errno));
  }
  dirty_end_ = false;
  return {};
}

bool is_being_written(const std::filesystem::path& path) {
  const Fd fd(::open(path.c_str(), O_RDONLY | O_CLOEXEC));
  if (!fd.valid()) return false;
  struct flock lock = whole_file_lock(F_RDLCK);
  return ::fcntl(fd.get(), F_OFD_GETLK, &lock) == 0 && lock.l_type != F_UNLCK;
}

Result<void> sync_directory(const std::filesystem::path& directory) {
  const std::filesystem::path named = directory.empty() ? "." : directory;
  const Fd fd(::open(named.c_str(), O_RDONLY | O_DIRECTORY | O_CLOEXEC));
  if (!fd.valid()) return fail(system_error("open", named, errno));
  // Some file systems have nothing to sync in a directory and say EINVAL.
  if (::fsync(fd.get()) != 0 && errno != EINVAL) return fail(system_error("sync", named, errno));
  return {};
}

}  // namespace assay
