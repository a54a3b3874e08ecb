#pragma once

#include <sys/types.h>

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
};

/// A supervised child program: its own process group, no inherited descriptors, an end by the
/// kernel when we die (so create it on a thread that lives as long as the program). One thread.
class Child {
 public:
  /// kIo when the program cannot be started.
  static Result<std::unique_ptr<Child>> start(const ChildSpec& spec);
  /// Ends the whole group: SIGTERM, then SIGKILL after a grace of 5 s.
  ~Child();
  Child(const Child&) = delete;
  Child& operator=(const Child&) = delete;

  [[nodiscard]] pid_t pid() const { return pid_; }
  /// The first line on its standard output. kTimeout, or kUnavailable when it ended before; both
  /// with the end of what it wrote to standard error.
  Result<std::string> first_line(Nanos timeout);
  /// Whether it is still running.
  [[nodiscard]] bool running();
  /// Takes what it wrote to standard error: call it now and then, or it may stand still.
  void drain_log();
  /// The last bytes of its standard error, at most 16 KiB.
  [[nodiscard]] std::string log_tail();
  /// Peak resident memory in bytes, absent once it ended.
  [[nodiscard]] std::optional<int64_t> peak_memory_bytes() const;
  void stop(Nanos grace = std::chrono::seconds(5));

 private:
  Child() = default;
  struct State;
  pid_t pid_ = -1;
  std::unique_ptr<State> state_;
};

}  // namespace assay
