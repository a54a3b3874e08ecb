#pragma once

#include <sys/types.h>

#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "base/clock.h"
#include "base/result.h"

namespace assay {

/// How to start a program. No shell: every argument reaches the program as it is.
struct ChildSpec {
  std::vector<std::string> arguments;    ///< The program's path first.
  std::vector<std::string> environment;  ///< `NAME=value`; nothing else is passed on.
  std::string directory;                 ///< Working directory; empty keeps ours.
  /// Empty: it dies with us, and what it writes comes by a pipe. A file: it has a session of its
  /// own, outlives us, and writes to this file, whose size the kernel limits to kMaxLogFileBytes.
  std::string log_file;
  /// Called once the process is there and before it runs the program; it ends unborn when this
  /// fails or we die. So whoever is to find it later can be told before it can be lost.
  std::function<Result<void>(pid_t)> before_exec;
};

/// A child program: its own process group, no inherited descriptors, an end by the kernel when we
/// die (so create it on a thread that lives as long as the program). One thread.
class Child {
 public:
  static constexpr size_t kLogTailBytes = 16 << 10;
  static constexpr size_t kMaxLogFileBytes = 64 << 20;

  /// kIo when the program cannot be started.
  static Result<std::unique_ptr<Child>> start(const ChildSpec& spec);
  /// Ends the whole group, unless it was let go: SIGTERM, then SIGKILL after a grace of 5 s.
  ~Child();
  Child(const Child&) = delete;
  Child& operator=(const Child&) = delete;

  [[nodiscard]] pid_t pid() const { return pid_; }
  /// Whether it is still running.
  [[nodiscard]] bool running();
  /// `exit code 1` or `signal 9`; empty while it runs.
  [[nodiscard]] std::string ended_how();
  /// What it wrote since the last time, standard output and error, at most 256 KiB. Call it now and
  /// then, or the program may stand still.
  std::string take_output();
  /// The end of all it wrote, at most kLogTailBytes.
  [[nodiscard]] std::string log_tail();
  void stop(Nanos grace = std::chrono::seconds(5));
  /// It goes on without us; only for one with a log file.
  void let_go() { pid_ = -1; }

 private:
  Child() = default;
  struct State;
  pid_t pid_ = -1;
  std::unique_ptr<State> state_;
};

}  // namespace assay
