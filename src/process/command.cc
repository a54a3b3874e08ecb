#include "process/command.h"

#include <fcntl.h>
#include <fmt/format.h>
#include <poll.h>
#include <signal.h>
#include <sys/wait.h>
#include <unistd.h>

#include <array>
#include <cerrno>
#include <thread>

#include "base/files.h"
#include "base/text.h"
#include "process/pipe.h"
#include "process/spawn.h"

namespace assay {
namespace {

constexpr auto kPoll = std::chrono::milliseconds(5);

/// A program that is killed, with what it started, unless it was waited for.
class Running {
 public:
  explicit Running(pid_t pid) : pid_(pid) {}
  Running(const Running&) = delete;
  Running& operator=(const Running&) = delete;
  ~Running() {
    if (ended_) return;
    ::kill(-pid_, SIGKILL);
    ::waitpid(pid_, nullptr, 0);
  }

  bool ended() {
    if (!ended_) ended_ = ::waitpid(pid_, &status_, WNOHANG) == pid_;
    return ended_;
  }
  [[nodiscard]] int exit_code() const {
    return WIFEXITED(status_) ? WEXITSTATUS(status_) : 128 + WTERMSIG(status_);
  }

 private:
  pid_t pid_;
  int status_ = 0;
  bool ended_ = false;
};

/// Writes what the pipe takes now. The end is closed when all is written or nobody reads.
void feed(Fd& to, std::string_view& input) {
  while (!input.empty()) {
    const ssize_t wrote = ::write(to.get(), input.data(), input.size());
    if (wrote < 0 && errno == EINTR) continue;
    if (wrote < 0 && errno == EAGAIN) return;
    if (wrote <= 0) break;
    input.remove_prefix(static_cast<size_t>(wrote));
  }
  to = Fd();
}

/// Takes what there is. False at the end.
bool drain(const Fd& from, std::string& output) {
  std::array<char, 4096> block{};
  for (;;) {
    const ssize_t got = ::read(from.get(), block.data(), block.size());
    if (got < 0 && errno == EINTR) continue;
    if (got < 0) return errno == EAGAIN;
    if (got == 0) return false;
    const size_t room = kMaxCommandOutput - output.size();
    output.append(block.data(), std::min(room, static_cast<size_t>(got)));
  }
}

}  // namespace

Result<CommandResult> run_command(const std::vector<std::string>& arguments, std::string_view input,
                                  Nanos timeout) {
  auto in = make_pipe();
  if (!in) return fail(in.error());
  auto out = make_pipe();
  if (!out) return fail(out.error());
  const auto pid = spawn_program(arguments, ProgramStreams{in->read, out->write});
  if (!pid) return fail(pid.error());
  Running program(*pid);
  in->read = Fd();
  out->write = Fd();
  ::fcntl(in->write.get(), F_SETFL, O_NONBLOCK);
  ::fcntl(out->read.get(), F_SETFL, O_NONBLOCK);
  // A program that does not read its input ends the pipe, and must not end us.
  struct sigaction ignore {};
  struct sigaction before {};
  ignore.sa_handler = SIG_IGN;
  ::sigaction(SIGPIPE, &ignore, &before);

  CommandResult result;
  const MonoNs deadline = mono_now_ns() + timeout.count();
  bool reading = true;
  bool in_time = true;
  while (!program.ended() && in_time) {
    if (in->write.valid()) feed(in->write, input);
    if (reading) reading = drain(out->read, result.output);
    pollfd watched{out->read.get(), POLLIN, 0};
    if (reading) {
      ::poll(&watched, 1, static_cast<int>(kPoll.count()));
    } else {
      std::this_thread::sleep_for(kPoll);
    }
    in_time = mono_now_ns() < deadline;
  }
  ::sigaction(SIGPIPE, &before, nullptr);
  if (!program.ended()) {
    return fail(Errc::kTimeout, fmt::format("{} did not end within {}", printable(arguments[0], 80),
                                            duration_text(timeout)));
  }
  if (reading) drain(out->read, result.output);
  result.exit_code = program.exit_code();
  return result;
}

}  // namespace assay
