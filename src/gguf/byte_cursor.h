#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "base/error.h"

namespace assay {

/// Reads forward through a file that is `size` bytes long, by a buffer of fixed size. The first
/// problem sticks: from then on everything reads as zero, and loops ask ok().
class ByteCursor {
 public:
  ByteCursor(int fd, int64_t size);

  [[nodiscard]] bool ok() const { return !problem_.has_value(); }
  [[nodiscard]] const std::optional<Error>& problem() const { return problem_; }
  void stop(std::string reason, Errc code = Errc::kInvalidArgument);

  [[nodiscard]] int64_t position() const { return position_; }
  [[nodiscard]] uint64_t left() const { return static_cast<uint64_t>(size_ - position_); }

  /// A number as the machine stores it.
  template <class T>
  T take() {
    T value{};
    take_into(reinterpret_cast<char*>(&value), sizeof value);
    return value;
  }

  /// A text with its length in front.
  std::string take_text(uint64_t max_bytes);
  void skip(uint64_t bytes);

 private:
  void take_into(char* out, size_t bytes);
  void refill();

  int fd_;
  int64_t size_;
  int64_t position_ = 0;
  std::vector<char> buffer_;
  int64_t start_ = 0;
  size_t filled_ = 0;
  std::optional<Error> problem_;
};

}  // namespace assay
