#include "process/spawn.h"

#include <fcntl.h>
#include <fmt/format.h>
#include <signal.h>
#include <spawn.h>
#include <unistd.h>

#include <cerrno>

#include "base/text.h"

namespace assay {

Result<pid_t> spawn_program(const std::vector<std::string>& arguments,
                            const ProgramStreams& streams) {
  std::vector<char*> pointers;
  for (const std::string& text : arguments) pointers.push_back(const_cast<char*>(text.c_str()));
  pointers.push_back(nullptr);
  posix_spawn_file_actions_t files{};
  posix_spawnattr_t attributes{};
  ::posix_spawn_file_actions_init(&files);
  ::posix_spawnattr_init(&attributes);
  ::posix_spawn_file_actions_adddup2(&files, streams.in.get(), 0);
  ::posix_spawn_file_actions_adddup2(&files, streams.out.get(), 1);
  if (streams.err != nullptr) {
    ::posix_spawn_file_actions_adddup2(&files, streams.err->get(), 2);
  } else {
    ::posix_spawn_file_actions_addopen(&files, 2, "/dev/null", O_WRONLY, 0);
  }
  sigset_t defaults{};
  ::sigemptyset(&defaults);
  for (const int signal : {SIGINT, SIGTERM, SIGPIPE}) ::sigaddset(&defaults, signal);
  ::posix_spawnattr_setsigdefault(&attributes, &defaults);
  ::posix_spawnattr_setflags(&attributes, POSIX_SPAWN_SETPGROUP | POSIX_SPAWN_SETSIGDEF);
  pid_t pid = -1;
  const int why =
      ::posix_spawnp(&pid, pointers[0], &files, &attributes, pointers.data(), ::environ);
  ::posix_spawn_file_actions_destroy(&files);
  ::posix_spawnattr_destroy(&attributes);
  if (why == 0) return pid;
  return fail(why == ENOENT ? Errc::kNotFound : Errc::kIo,
              fmt::format("cannot start {}: {}", printable(arguments[0], 80), errno_text(why)));
}

}  // namespace assay
