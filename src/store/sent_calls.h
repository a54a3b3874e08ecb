#pragma once

#include <cstdint>
#include <filesystem>
#include <set>

#include "base/result.h"

namespace assay {

/// Which planned calls were sent, in a file of one byte a call beside the ledger. A mark is a store
/// into mapped memory: it costs nothing while measuring and survives the process, though not a
/// power cut. A resume learns from it which calls were in flight. One thread.
class SentCalls {
 public:
  /// Opens or creates the file for a plan of that many calls.
  static Result<SentCalls> open(const std::filesystem::path& path, int64_t calls);
  SentCalls(SentCalls&& other) noexcept;
  SentCalls& operator=(SentCalls&&) = delete;
  ~SentCalls();

  /// `index` is a place in the plan.
  void mark(int64_t index) { bytes_[index] = 1; }
  /// Every call marked so far, by earlier sessions too.
  [[nodiscard]] std::set<int64_t> marked() const;

 private:
  SentCalls(char* bytes, int64_t calls) : bytes_(bytes), calls_(calls) {}
  char* bytes_;
  int64_t calls_;
};

}  // namespace assay
