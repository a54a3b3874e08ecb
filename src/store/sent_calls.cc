#include "store/sent_calls.h"

#include <fcntl.h>
#include <fmt/format.h>
#include <sys/mman.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <utility>

#include "base/files.h"

namespace assay {

Result<SentCalls> SentCalls::open(const std::filesystem::path& path, int64_t calls) {
  const Fd file(::open(path.c_str(), O_RDWR | O_CREAT | O_CLOEXEC, 0644));
  const auto size = std::max<int64_t>(1, calls);
  // Allocated at once: a store into a hole on a full disk would be a bus error.
  const int why = !file.valid() ? errno : ::posix_fallocate(file.get(), 0, size);
  if (why != 0) {
    return fail(Errc::kIo, fmt::format("cannot make {}: {}", path.string(), errno_text(why)));
  }
  void* mapped =
      ::mmap(nullptr, static_cast<size_t>(size), PROT_READ | PROT_WRITE, MAP_SHARED, file.get(), 0);
  if (mapped == MAP_FAILED) {
    return fail(Errc::kIo, fmt::format("cannot map {}: {}", path.string(), errno_text(errno)));
  }
  return SentCalls(static_cast<char*>(mapped), size);
}

SentCalls::SentCalls(SentCalls&& other) noexcept
    : bytes_(std::exchange(other.bytes_, nullptr)), calls_(other.calls_) {}

SentCalls::~SentCalls() {
  if (bytes_ != nullptr) ::munmap(bytes_, static_cast<size_t>(calls_));
}

std::set<int64_t> SentCalls::marked() const {
  std::set<int64_t> indices;
  for (int64_t i = 0; i < calls_; ++i) {
    if (bytes_[i] != 0) indices.insert(i);
  }
  return indices;
}

}  // namespace assay
