#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "base/clock.h"
#include "base/result.h"

namespace assay {

/// What a program that ran to its end left.
struct CommandResult {
  int exit_code = 0;   ///< 128 + the signal where one ended it.
  std::string output;  ///< Of its standard output, at most kMaxCommandOutput bytes.
};
inline constexpr size_t kMaxCommandOutput = 1 << 20;

/// Runs a program, found on PATH, without a shell: every argument reaches it as it is, `input` is
/// its standard input, what it writes to standard error is dropped. kNotFound when there is no such
/// program, kTimeout after `timeout`, when it and its group are killed, kIo. Blocks the calling
/// thread.
Result<CommandResult> run_command(const std::vector<std::string>& arguments, std::string_view input,
                                  Nanos timeout);

}  // namespace assay
