#pragma once

#include "base/files.h"

namespace assay {

/// Both ends are closed in programs that are started.
struct Pipe {
  Fd read;
  Fd write;
};

/// kIo with the system's reason.
Result<Pipe> make_pipe();

}  // namespace assay
