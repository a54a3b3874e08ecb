#pragma once

#include <sys/types.h>

#include <string>
#include <vector>

#include "base/files.h"
#include "base/result.h"

namespace assay {

/// What becomes a program's standard streams. The descriptors stay the caller's.
struct ProgramStreams {
  const Fd& in;
  const Fd& out;
  const Fd* err = nullptr;  ///< Null: what it writes there is dropped.
};

/// Starts a program, found on PATH, without a shell: every argument reaches it as it is. It has a
/// process group of its own and the usual handling of signals. kNotFound when there is no such
/// program, kIo.
Result<pid_t> spawn_program(const std::vector<std::string>& arguments,
                            const ProgramStreams& streams);

}  // namespace assay
