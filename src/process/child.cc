#include "process/child.h"

#include <fcntl.h>
#include <fmt/format.h>
#include <signal.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include <array>
#include <cerrno>
#include <cstring>
#include <thread>

#include "base/files.h"
#include "process/pipe.h"

namespace assay {
namespace {

/// What one take_output() takes at most, so that a program that never stops writing does not keep
/// us.
constexpr size_t kMaxTake = 256 << 10;

std::vector<char*> pointers(const std::vector<std::string>& texts) {
  std::vector<char*> list;
  list.reserve(texts.size() + 1);
  for (const std::string& text : texts) list.push_back(const_cast<char*>(text.c_str()));
  list.push_back(nullptr);
  return list;
}

/// The child's side, made before the fork: between fork and exec nothing may be allocated.
struct Birth {
  std::vector<char*> arguments;
  std::vector<char*> environment;
  const char* directory = "";
  pid_t parent = 0;
  bool outlives_us = false;
  int out = -1;
  int err = -1;
  int go = -1;  ///< A byte comes when the program may run; its end says that it may not.
};

/// Between fork and exec: only calls that are safe there. Returns what went wrong.
int become(const Birth& birth) {
  if (birth.outlives_us) {
    ::setsid();
    const rlimit most{Child::kMaxLogFileBytes, Child::kMaxLogFileBytes};
    ::setrlimit(RLIMIT_FSIZE, &most);
  } else {
    ::setpgid(0, 0);
    ::prctl(PR_SET_PDEATHSIG, SIGKILL);
    if (::getppid() != birth.parent) return ESRCH;  // The parent died before the line above.
  }
  char go = 0;
  if (::read(birth.go, &go, 1) != 1) return ECANCELED;
  sigset_t none;
  ::sigemptyset(&none);
  ::sigprocmask(SIG_SETMASK, &none, nullptr);
  for (const int signal : {SIGINT, SIGTERM, SIGPIPE}) ::signal(signal, SIG_DFL);
  // At the limit of its log a write fails, and that is all.
  ::signal(SIGXFSZ, birth.outlives_us ? SIG_IGN : SIG_DFL);
  const int null = ::open("/dev/null", O_RDONLY);
  if (null < 0 || ::dup2(null, 0) < 0 || ::dup2(birth.out, 1) < 0 || ::dup2(birth.err, 2) < 0) {
    return errno;
  }
  ::syscall(SYS_close_range, 3U, ~0U, 1U << 2 /* CLOSE_RANGE_CLOEXEC */);
  if (*birth.directory != '\0' && ::chdir(birth.directory) != 0) return errno;
  ::execve(birth.arguments[0], birth.arguments.data(), birth.environment.data());
  return errno;
}

/// Where the program writes and we read.
struct Streams {
  Fd write_out;
  Fd write_err;  ///< Not valid: the same as `write_out`.
  Fd read_out;
  Fd read_err;  ///< Not valid where there is one log.

  [[nodiscard]] int err() const { return write_err.valid() ? write_err.get() : write_out.get(); }
};

Result<Streams> open_streams(const std::string& log_file) {
  Streams streams;
  if (!log_file.empty()) {
    constexpr int kAppend = O_WRONLY | O_CREAT | O_APPEND | O_CLOEXEC | O_NOFOLLOW;
    streams.write_out = Fd(::open(log_file.c_str(), kAppend, 0600));
    streams.read_out = Fd(::open(log_file.c_str(), O_RDONLY | O_CLOEXEC | O_NOFOLLOW));
    // What stands there is of an earlier process.
    const bool at_end =
        streams.read_out.valid() && ::lseek(streams.read_out.get(), 0, SEEK_END) >= 0;
    if (streams.write_out.valid() && at_end) return streams;
    return fail(Errc::kIo, fmt::format("cannot open {}: {}", log_file, errno_text(errno)));
  }
  auto out = make_pipe();
  if (!out) return fail(out.error());
  auto err = make_pipe();
  if (!err) return fail(err.error());
  streams = {std::move(out->write), std::move(err->write), std::move(out->read),
             std::move(err->read)};
  for (const Fd* end : {&streams.read_out, &streams.read_err}) {
    ::fcntl(end->get(), F_SETFL, O_NONBLOCK);
  }
  return streams;
}

/// Adds what there is to read now, up to `most` bytes.
void read_some(const Fd& from, std::string& into, size_t most) {
  std::array<char, 4096> block;
  while (from.valid() && into.size() < most) {
    const ssize_t got = ::read(from.get(), block.data(), block.size());
    if (got < 0 && errno == EINTR) continue;
    if (got <= 0) return;
    into.append(block.data(), static_cast<size_t>(got));
  }
}

}  // namespace

struct Child::State {
  Fd out;
  Fd err;
  std::string log;            ///< The end of it.
  std::optional<int> status;  ///< As waitpid() tells it.
};

Result<std::unique_ptr<Child>> Child::start(const ChildSpec& spec) {
  auto streams = open_streams(spec.log_file);
  if (!streams) return fail(streams.error());
  auto status = make_pipe();
  if (!status) return fail(status.error());
  auto go = make_pipe();
  if (!go) return fail(go.error());
  Birth birth;
  birth.arguments = pointers(spec.arguments);
  birth.environment = pointers(spec.environment);
  birth.directory = spec.directory.c_str();
  birth.parent = ::getpid();
  birth.outlives_us = !spec.log_file.empty();
  birth.out = streams->write_out.get();
  birth.err = streams->err();
  birth.go = go->read.get();
  const pid_t pid = ::fork();
  if (pid < 0) return fail(Errc::kIo, fmt::format("cannot fork: {}", errno_text(errno)));
  if (pid == 0) {
    ::close(go->write.get());  // Or its end would never be seen.
    const int why = become(birth);
    // The status pipe closes on a successful exec; what comes through it is a failure.
    [[maybe_unused]] const ssize_t told = ::write(status->write.get(), &why, sizeof why);
    ::_exit(127);
  }
  if (!birth.outlives_us) ::setpgid(pid, pid);  // Both sides do it: whoever comes first.
  status->write = Fd();
  if (spec.before_exec) {
    if (auto told = spec.before_exec(pid); !told) {
      go->write = Fd();
      ::waitpid(pid, nullptr, 0);
      return fail(told.error());
    }
  }
  // We hold the reading end too: a child that has died meanwhile raises no SIGPIPE here.
  [[maybe_unused]] const ssize_t sent = ::write(go->write.get(), "!", 1);
  int why = 0;
  if (::read(status->read.get(), &why, sizeof why) == static_cast<ssize_t>(sizeof why)) {
    ::waitpid(pid, nullptr, 0);
    return fail(Errc::kIo, fmt::format("cannot start {}: {}", spec.arguments[0], errno_text(why)));
  }
  std::unique_ptr<Child> child(new Child());
  child->pid_ = pid;
  child->state_ = std::make_unique<State>();
  child->state_->out = std::move(streams->read_out);
  child->state_->err = std::move(streams->read_err);
  return child;
}

Child::~Child() { stop(); }

std::string Child::take_output() {
  std::string taken;
  read_some(state_->out, taken, kMaxTake);
  read_some(state_->err, taken, kMaxTake);
  state_->log += taken;
  if (state_->log.size() > kLogTailBytes) {
    state_->log.erase(0, state_->log.size() - kLogTailBytes);
  }
  return taken;
}

std::string Child::log_tail() {
  while (!take_output().empty() && !running()) {
  }
  return state_->log;
}

bool Child::running() {
  if (pid_ <= 0 || state_->status) return false;
  int status = 0;
  const pid_t done = ::waitpid(pid_, &status, WNOHANG);
  if (done == pid_ || (done < 0 && errno == ECHILD)) state_->status = status;
  return !state_->status;
}

std::string Child::ended_how() {
  if (running() || !state_->status) return {};
  const int status = *state_->status;
  if (WIFSIGNALED(status)) return fmt::format("signal {}", WTERMSIG(status));
  return fmt::format("exit code {}", WEXITSTATUS(status));
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
  int status = 0;
  ::waitpid(pid_, &status, 0);
  state_->status = status;
}

}  // namespace assay
