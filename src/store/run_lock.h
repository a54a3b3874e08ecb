#pragma once

#include <cstdint>
#include <filesystem>
#include <functional>
#include <string>
#include <string_view>

#include "base/clock.h"
#include "base/files.h"
#include "base/result.h"

namespace assay {

/// The one lock file of a machine: `$ASSAY_LOCK_FILE`, else `$XDG_RUNTIME_DIR/assay.lock`, else
/// `/run/lock/assay.lock`, else `/tmp/assay.lock`; the first whose directory can be written.
std::filesystem::path lock_path();

/// Held while a run measures: two at once would measure each other. The kernel frees it however the
/// process ends, and child programs do not inherit it.
class RunLock {
 public:
  /// kConflict names the holder: `another run is measuring: run 1a2b3c4d, pid 123, since
  /// 12:00:05Z`.
  static Result<RunLock> acquire(const std::filesystem::path& path, std::string_view run_id);

  /// Called before the first pause and after each of them; false gives up.
  using OnWait = std::function<bool(const Error& conflict, Nanos waited)>;
  /// Tries again every 200 ms. kTimeout names the holder after `bound`; kCancelled when `on_wait`
  /// says so. Blocks the calling thread.
  static Result<RunLock> wait(const std::filesystem::path& path, std::string_view run_id,
                              Nanos bound, const OnWait& on_wait);

  RunLock(RunLock&&) noexcept = default;
  RunLock& operator=(RunLock&&) = delete;
  /// Removes the holder's name from the file, then frees the lock. The file stays.
  ~RunLock();

 private:
  explicit RunLock(Fd fd) : fd_(std::move(fd)) {}
  Fd fd_;
};

}  // namespace assay
