#include "base/files.h"

#include <fcntl.h>
#include <fmt/format.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cerrno>
#include <cstdlib>
#include <system_error>
#include <utility>

namespace assay {

Fd& Fd::operator=(Fd&& other) noexcept {
  if (this != &other) {
    if (fd_ >= 0) ::close(fd_);
    fd_ = other.release();
  }
  return *this;
}

Fd::~Fd() {
  if (fd_ >= 0) ::close(fd_);
}

int Fd::release() noexcept { return std::exchange(fd_, -1); }

std::string errno_text(int errno_value) {
  std::string text = std::generic_category().message(errno_value);
  if (!text.empty() && text[0] >= 'A' && text[0] <= 'Z') text[0] = static_cast<char>(text[0] + 32);
  return text;
}

Result<std::string> read_file(const std::filesystem::path& path, int64_t max_bytes) {
  const Fd file(::open(path.c_str(), O_RDONLY | O_CLOEXEC));
  if (!file.valid()) {
    const int why = errno;
    return fail(why == ENOENT ? Errc::kNotFound : Errc::kIo,
                fmt::format("cannot read {}: {}", path.string(), errno_text(why)));
  }
  std::string content;
  constexpr size_t kBlock = 1 << 16;
  for (;;) {
    const size_t have = content.size();
    if (static_cast<int64_t>(have) > max_bytes) {
      return fail(Errc::kInvalidArgument,
                  fmt::format("{} is larger than {} bytes", path.string(), max_bytes));
    }
    content.resize(have + kBlock);
    const ssize_t got = ::read(file.get(), content.data() + have, kBlock);
    content.resize(have + static_cast<size_t>(got > 0 ? got : 0));
    if (got == 0) return content;
    if (got < 0 && errno != EINTR) {
      return fail(Errc::kIo, fmt::format("cannot read {}: {}", path.string(), errno_text(errno)));
    }
  }
}

Result<void> write_all(int fd, std::string_view bytes, std::string_view what) {
  while (!bytes.empty()) {
    const ssize_t put = ::write(fd, bytes.data(), bytes.size());
    if (put < 0 && errno == EINTR) continue;
    if (put <= 0) {
      return fail(Errc::kIo, fmt::format("cannot write {}: {}", what, errno_text(errno)));
    }
    bytes.remove_prefix(static_cast<size_t>(put));
  }
  return {};
}

Result<void> write_file_atomic(const std::filesystem::path& path, std::string_view content,
                               unsigned mode) {
  const std::string temporary = fmt::format("{}.tmp{}", path.string(), ::getpid());
  {
    const Fd file(::open(temporary.c_str(), O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, mode));
    if (!file.valid()) {
      return fail(Errc::kIo, fmt::format("cannot create {}: {}", temporary, errno_text(errno)));
    }
    if (auto written = write_all(file.get(), content, temporary); !written) return written;
    if (::fsync(file.get()) != 0) {
      return fail(Errc::kIo, fmt::format("cannot sync {}: {}", temporary, errno_text(errno)));
    }
  }
  if (::rename(temporary.c_str(), path.c_str()) != 0) {
    return fail(Errc::kIo,
                fmt::format("cannot rename to {}: {}", path.string(), errno_text(errno)));
  }
  return {};
}

Result<void> make_directories(const std::filesystem::path& path) {
  std::error_code error;
  std::filesystem::create_directories(path, error);
  if (error) {
    return fail(Errc::kIo, fmt::format("cannot create {}: {}", path.string(), error.message()));
  }
  return {};
}

std::string short_path(const std::filesystem::path& path) {
  const char* home = std::getenv("HOME");
  std::string text = path.string();
  if (home == nullptr || *home == '\0' || text.rfind(std::string(home) + "/", 0) != 0) return text;
  return "~" + text.substr(std::string_view(home).size());
}

}  // namespace assay
