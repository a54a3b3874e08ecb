#include "process/pipe.h"

#include <fcntl.h>
#include <fmt/format.h>
#include <unistd.h>

#include <array>
#include <cerrno>

namespace assay {

Result<Pipe> make_pipe() {
  std::array<int, 2> ends{};
  if (::pipe2(ends.data(), O_CLOEXEC) != 0) {
    return fail(Errc::kIo, fmt::format("cannot make a pipe: {}", errno_text(errno)));
  }
  return Pipe{Fd(ends[0]), Fd(ends[1])};
}

}  // namespace assay
