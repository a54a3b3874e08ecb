#include <fmt/format.h>

#include <csignal>
#include <exception>

#include "cli/command.h"
#include "cli/exit_codes.h"

int main(int argc, char** argv) {
  // A reader that goes away is an error of that write, not the end of a run.
  std::signal(SIGPIPE, SIG_IGN);
  std::signal(SIGXFSZ, SIG_IGN);  // The same for a limit on file sizes.
  try {
    return assay::run_command_line(argc, argv);
  } catch (const std::exception& e) {
    fmt::print(stderr, "error: {}\n", e.what());
    return assay::exit_code::kFailed;
  }
}
