#include "gguf/byte_cursor.h"

#include <fmt/format.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <cstring>
#include <utility>

#include "base/files.h"

namespace assay {
namespace {

constexpr size_t kBufferBytes = 1 << 16;

}  // namespace

ByteCursor::ByteCursor(int fd, int64_t size) : fd_(fd), size_(size), buffer_(kBufferBytes) {}

void ByteCursor::stop(std::string reason, Errc code) {
  if (ok()) problem_ = Error(code, std::move(reason));
}

std::string ByteCursor::take_text(uint64_t max_bytes) {
  const auto length = take<uint64_t>();
  if (length > max_bytes) stop(fmt::format("a text of {} bytes", length));
  if (length > left()) stop("it ends inside a text");
  if (!ok()) return {};
  std::string text(static_cast<size_t>(length), '\0');
  take_into(text.data(), text.size());
  return text;
}

void ByteCursor::skip(uint64_t bytes) {
  if (bytes > left()) stop("it ends inside its header");
  if (ok()) position_ += static_cast<int64_t>(bytes);
}

void ByteCursor::take_into(char* out, size_t bytes) {
  if (bytes > left()) stop("it ends inside its header");
  while (ok() && bytes > 0) {
    if (position_ < start_ || position_ >= start_ + static_cast<int64_t>(filled_)) {
      refill();
      continue;
    }
    const auto at = static_cast<size_t>(position_ - start_);
    const size_t part = std::min(bytes, filled_ - at);
    std::memcpy(out, buffer_.data() + at, part);
    out += part;
    bytes -= part;
    position_ += static_cast<int64_t>(part);
  }
}

void ByteCursor::refill() {
  ssize_t got = 0;
  do {
    got = ::pread(fd_, buffer_.data(), buffer_.size(), position_);
  } while (got < 0 && errno == EINTR);
  if (got < 0) stop(errno_text(errno), Errc::kIo);
  if (got == 0) stop("it became shorter while it was read");
  start_ = position_;
  filled_ = static_cast<size_t>(std::max<ssize_t>(got, 0));
}

}  // namespace assay
