#include "process/line_child.h"

#include <fcntl.h>
#include <fmt/format.h>
#include <poll.h>
#include <signal.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <thread>

#include "base/files.h"
#include "base/text.h"
#include "process/pipe.h"
#include "process/spawn.h"

namespace assay {
namespace {

constexpr Nanos kGrace = std::chrono::seconds(1);
constexpr size_t kLogTail = 2000;

/// Takes what there is. False at the end.
bool drain(const Fd& from, std::string& to) {
  std::array<char, 8192> block;
  for (;;) {
    const ssize_t got = ::read(from.get(), block.data(), block.size());
    if (got < 0 && errno == EINTR) continue;
    if (got < 0) return errno == EAGAIN;
    if (got == 0) return false;
    to.append(block.data(), static_cast<size_t>(got));
    if (to.size() > kMaxChildLine) return true;
  }
}

void never_wait(const Fd& fd) { ::fcntl(fd.get(), F_SETFL, O_NONBLOCK); }

}  // namespace

struct LineChild::State {
  pid_t pid = -1;
  Fd in;  ///< A socket: writing to one that nobody reads raises no signal if asked so.
  Fd out;
  Fd err;
  std::string buffer;
  std::string log;
  bool ended = false;

  bool running() {
    if (!ended) ended = ::waitpid(pid, nullptr, WNOHANG) != 0;
    return !ended;
  }
  void keep_log() {
    if (err.valid() && !drain(err, log)) err = Fd();
    if (log.size() > kLogTail) log.erase(0, log.size() - kLogTail);
  }
  /// With the end of what it wrote to standard error.
  Error ended_error() {
    keep_log();
    return Error(Errc::kUnavailable, fmt::format("the program ended{}{}", log.empty() ? "" : ": ",
                                                 printable(trim(log), 400)));
  }
};

LineChild::LineChild() : state_(std::make_unique<State>()) {}

Result<std::unique_ptr<LineChild>> LineChild::start(const std::vector<std::string>& arguments) {
  std::array<int, 2> input{};
  if (::socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, input.data()) != 0) {
    return fail(Errc::kIo, fmt::format("cannot make a socket: {}", errno_text(errno)));
  }
  Fd ours(input[0]);
  const Fd theirs(input[1]);
  auto out = make_pipe();
  if (!out) return fail(out.error());
  auto err = make_pipe();
  if (!err) return fail(err.error());
  const auto pid = spawn_program(arguments, ProgramStreams{theirs, out->write, &err->write});
  if (!pid) return fail(pid.error());
  std::unique_ptr<LineChild> child(new LineChild());
  State& state = *child->state_;
  state.pid = *pid;
  state.in = std::move(ours);
  state.out = std::move(out->read);
  state.err = std::move(err->read);
  for (const Fd* fd : {&state.in, &state.out, &state.err}) never_wait(*fd);
  return child;
}

LineChild::~LineChild() {
  State& state = *state_;
  if (state.pid < 0) return;
  state.in = Fd();
  const MonoNs deadline = mono_now_ns() + kGrace.count();
  while (state.running() && mono_now_ns() < deadline) {
    state.buffer.clear();
    if (state.out.valid() && !drain(state.out, state.buffer)) state.out = Fd();
    state.keep_log();
    std::this_thread::sleep_for(std::chrono::milliseconds(5));
  }
  if (!state.running()) return;
  ::kill(-state.pid, SIGKILL);
  ::waitpid(state.pid, nullptr, 0);
}

Result<void> LineChild::say(std::string_view line) {
  const std::string whole = std::string(line) + "\n";
  const ssize_t sent = ::send(state_->in.get(), whole.data(), whole.size(), MSG_NOSIGNAL);
  if (sent == static_cast<ssize_t>(whole.size())) return {};
  if (sent < 0 && (errno == EPIPE || errno == ECONNRESET)) return fail(state_->ended_error());
  return fail(Errc::kIo, "the program does not take its input");
}

Result<std::string> LineChild::next_line(Nanos timeout) {
  State& state = *state_;
  const MonoNs deadline = mono_now_ns() + timeout.count();
  for (;;) {
    if (const size_t end = state.buffer.find('\n'); end != std::string::npos) {
      std::string line = state.buffer.substr(0, end);
      state.buffer.erase(0, end + 1);
      return line;
    }
    if (state.buffer.size() > kMaxChildLine) {
      return fail(Errc::kProtocol, "a line of the program is endless");
    }
    if (!state.out.valid()) return fail(state.ended_error());
    const MonoNs left = deadline - mono_now_ns();
    if (left <= 0) return fail(Errc::kTimeout, "the program says nothing");
    std::array<pollfd, 2> polled{pollfd{state.out.get(), POLLIN, 0},
                                 pollfd{state.err.get(), POLLIN, 0}};
    constexpr MonoNs kMsNs = 1'000'000;
    ::poll(polled.data(), polled.size(), static_cast<int>(std::min<MonoNs>(left / kMsNs + 1, 500)));
    state.keep_log();
    if (!drain(state.out, state.buffer)) state.out = Fd();
  }
}

}  // namespace assay
