#include "process/child.h"

#include <fcntl.h>
#include <fmt/format.h>
#include <poll.h>
#include <signal.h>
#include <sys/prctl.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include <array>
#include <cerrno>
#include <cstring>
#include <fstream>
#include <thread>

#include "base/files.h"
#include "base/text.h"
#include "process/pipe.h"

namespace assay {
namespace {

constexpr size_t kLogTail = 16 << 10;
constexpr size_t kMaxLine = 64 << 10;

std::vector<char*> pointers(const std::vector<std::string>& texts) {
  std::vector<char*> list;
  list.reserve(texts.size() + 1);
  for (const std::string& text : texts) list.push_back(const_cast<char*>(text.c_str()));
  list.push_back(nullptr);
  return list;
}

/// Between fork and exec: only calls that are safe there. Returns what went wrong.
int become(const std::vector<char*>& arguments, const std::vector<char*>& environment,
           const char* directory, pid_t parent, int out, int err) {
  ::setpgid(0, 0);
  ::prctl(PR_SET_PDEATHSIG, SIGKILL);
  if (::getppid() != parent) return ESRCH;  // The parent died before the line above.
  sigset_t none;
  ::sigemptyset(&none);
  ::sigprocmask(SIG_SETMASK, &none, nullptr);
  for (const int signal : {SIGINT, SIGTERM, SIGPIPE, SIGXFSZ}) ::signal(signal, SIG_DFL);
  const int null = ::open("/dev/null", O_RDONLY);
  if (null < 0 || ::dup2(null, 0) < 0 || ::dup2(out, 1) < 0 || ::dup2(err, 2) < 0) return errno;
  ::syscall(SYS_close_range, 3U, ~0U, 1U << 2 /* CLOSE_RANGE_CLOEXEC */);
  if (*directory != '\0' && ::chdir(directory) != 0) return errno;
  ::execve(arguments[0], arguments.data(), environment.data());
  return errno;
}

}  // namespace

struct Child::State {
  Fd out;
  Fd err;
  std::string line;
  std::string log;
  bool ended = false;
};

Result<std::unique_ptr<Child>> Child::start(const ChildSpec& spec) {
  auto out = make_pipe();
  auto err = make_pipe();
  auto status = make_pipe();
  for (const auto* made : {&out, &err, &status}) {
    if (!*made) return fail(made->error());
  }
  const auto arguments = pointers(spec.arguments);
  const auto environment = pointers(spec.environment);
  const pid_t parent = ::getpid();
  const pid_t pid = ::fork();
  if (pid < 0) return fail(Errc::kIo, fmt::format("cannot fork: {}", errno_text(errno)));
  if (pid == 0) {
    const int why = become(arguments, environment, spec.directory.c_str(), parent, out->write.get(),
                           err->write.get());
    // The status pipe closes on a successful exec; what comes through it is a failure.
    [[maybe_unused]] const ssize_t told = ::write(status->write.get(), &why, sizeof why);
    ::_exit(127);
  }
  ::setpgid(pid, pid);  // Both sides do it: whoever comes first.
  status->write = Fd();
  int why = 0;
  if (::read(status->read.get(), &why, sizeof why) == static_cast<ssize_t>(sizeof why)) {
    ::waitpid(pid, nullptr, 0);
    return fail(Errc::kIo, fmt::format("cannot start {}: {}", spec.arguments[0], errno_text(why)));
  }
  std::unique_ptr<Child> child(new Child());
  child->pid_ = pid;
  child->state_ = std::make_unique<State>();
  child->state_->out = std::move(out->read);
  child->state_->err = std::move(err->read);
  ::fcntl(child->state_->err.get(), F_SETFL, O_NONBLOCK);
  ::fcntl(child->state_->out.get(), F_SETFL, O_NONBLOCK);
  return child;
}

Child::~Child() { stop(); }

void Child::drain_log() {
  std::array<char, 4096> block;
  for (;;) {
    const ssize_t got = ::read(state_->err.get(), block.data(), block.size());
    if (got <= 0) return;
    state_->log.append(block.data(), static_cast<size_t>(got));
    if (state_->log.size() > 2 * kLogTail) state_->log.erase(0, state_->log.size() - kLogTail);
  }
}

std::string Child::log_tail() {
  drain_log();
  if (state_->log.size() > kLogTail) state_->log.erase(0, state_->log.size() - kLogTail);
  return state_->log;
}

Result<std::string> Child::first_line(Nanos timeout) {
  const MonoNs deadline = mono_now_ns() + timeout.count();
  const auto ended_with = [&](Errc code, std::string_view what) {
    const std::string tail = log_tail();
    return fail(
        code, fmt::format(
                  "{}{}{}", what, tail.empty() ? "" : ": ",
                  printable(trim(tail.size() > 600 ? tail.substr(tail.size() - 600) : tail), 600)));
  };
  for (;;) {
    std::array<pollfd, 2> polled{pollfd{state_->out.get(), POLLIN, 0},
                                 pollfd{state_->err.get(), POLLIN, 0}};
    const int64_t left_ms = (deadline - mono_now_ns()) / 1'000'000;
    if (left_ms <= 0) return ended_with(Errc::kTimeout, "it did not become ready in time");
    ::poll(polled.data(), polled.size(), static_cast<int>(std::min<int64_t>(left_ms, 200)));
    drain_log();
    std::array<char, 4096> block;
    const ssize_t got = ::read(state_->out.get(), block.data(), block.size());
    if (got > 0) state_->line.append(block.data(), static_cast<size_t>(got));
    if (const size_t end = state_->line.find('\n'); end != std::string::npos) {
      return state_->line.substr(0, end);
    }
    if (state_->line.size() > kMaxLine)
      return ended_with(Errc::kProtocol, "its first line is endless");
    if (got == 0 || !running())
      return ended_with(Errc::kUnavailable, "it ended before it was ready");
  }
}

bool Child::running() {
  if (state_->ended) return false;
  const pid_t done = ::waitpid(pid_, nullptr, WNOHANG);
  if (done == pid_ || (done < 0 && errno == ECHILD)) state_->ended = true;
  return !state_->ended;
}

std::optional<int64_t> Child::peak_memory_bytes() const {
  std::ifstream status(fmt::format("/proc/{}/status", pid_));
  std::string line;
  while (std::getline(status, line)) {
    if (line.rfind("VmHWM:", 0) == 0) return std::stoll(line.substr(6)) * 1024;
  }
  return std::nullopt;
}

void Child::stop(Nanos grace) {
  if (!running()) return;
  ::kill(-pid_, SIGTERM);
  const MonoNs deadline = mono_now_ns() + grace.count();
  while (running() && mono_now_ns() < deadline) {
    std::this_thread::sleep_for(std::chrono::milliseconds(5));
  }
  if (!running()) return;
  ::kill(-pid_, SIGKILL);
  ::waitpid(pid_, nullptr, 0);
  state_->ended = true;
}

}  // namespace assay
