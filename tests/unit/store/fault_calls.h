#pragma once

#include <unistd.h>

#include <atomic>
#include <cerrno>
#include <condition_variable>
#include <mutex>

#include "store/append_file.h"

namespace assay {

/// File calls that count themselves and fail on demand. One test at a time; reset() first.
struct FaultCalls {
  enum class Mode { kError, kShortWrite, kNoTruncateEither };
  static inline std::atomic<int> calls{0};  ///< Writes and syncs together.
  static inline std::atomic<int> writes{0};
  static inline std::atomic<int> syncs{0};
  static inline std::atomic<int> fail_at{0};  ///< Which of `calls` fails; 0 for none.
  static inline std::atomic<Mode> mode{Mode::kError};
  static inline std::atomic<bool> fail_next_write{false};
  static inline std::atomic<bool> fail_next_truncate{false};

  static inline std::mutex gate_mutex;
  static inline std::condition_variable gate;
  static inline bool gate_closed = false;  ///< A sync waits while it is.
  static inline int waiting = 0;

  static void reset() {
    calls = writes = syncs = fail_at = 0;
    mode = Mode::kError;
    fail_next_write = fail_next_truncate = false;
    gate_closed = false;
  }

  static bool fails_now() {
    const bool now = ++calls == fail_at;
    if (now && mode == Mode::kNoTruncateEither) fail_next_truncate = true;
    return now;
  }

  static ssize_t write(int fd, const void* bytes, size_t count) {
    ++writes;
    const bool now = fails_now();
    if (now && mode == Mode::kShortWrite && count > 1) {
      fail_next_write = true;
      return ::write(fd, bytes, count / 2);
    }
    if (now || fail_next_write.exchange(false)) {
      errno = ENOSPC;
      return -1;
    }
    return ::write(fd, bytes, count);
  }

  static int fdatasync(int fd) {
    ++syncs;
    {
      std::unique_lock lock(gate_mutex);
      ++waiting;
      gate.notify_all();
      gate.wait(lock, [] { return !gate_closed; });
      --waiting;
    }
    if (fails_now()) {
      errno = EIO;
      return -1;
    }
    return ::fdatasync(fd);
  }

  static int ftruncate(int fd, off_t length) {
    if (fail_next_truncate.exchange(false)) {
      errno = EIO;
      return -1;
    }
    return ::ftruncate(fd, length);
  }

  static void close_gate() {
    const std::lock_guard lock(gate_mutex);
    gate_closed = true;
  }
  static void wait_at_gate() {
    std::unique_lock lock(gate_mutex);
    gate.wait(lock, [] { return waiting > 0; });
  }
  static void open_gate() {
    const std::lock_guard lock(gate_mutex);
    gate_closed = false;
    gate.notify_all();
  }
};

inline constexpr FileCalls kFaultCalls{&FaultCalls::write, &FaultCalls::fdatasync,
                                       &FaultCalls::ftruncate};

}  // namespace assay
