#pragma once

#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "base/clock.h"
#include "base/result.h"

namespace assay {

/// A program that we talk with by lines: its standard input and output. Found on PATH, no shell:
/// every argument reaches it as it is. Own process group; it should end with its input, which the
/// kernel closes when we die. One thread at a time.
class LineChild {
 public:
  /// kNotFound when there is no such program, kIo.
  static Result<std::unique_ptr<LineChild>> start(const std::vector<std::string>& arguments);
  /// Closes its input, gives it a second, then kills the group.
  ~LineChild();
  LineChild(const LineChild&) = delete;
  LineChild& operator=(const LineChild&) = delete;

  /// Writes a line; the line end is added. kUnavailable when it ended, as next_line(); kIo when it
  /// does not take it at once.
  Result<void> say(std::string_view line);
  /// Its next line without the line end, at most kMaxChildLine bytes. kTimeout; kUnavailable when
  /// its output ended, with the end of what it wrote to standard error; kProtocol for a longer one.
  Result<std::string> next_line(Nanos timeout);

 private:
  LineChild();
  struct State;
  std::unique_ptr<State> state_;
};
inline constexpr size_t kMaxChildLine = 256 << 10;

}  // namespace assay
