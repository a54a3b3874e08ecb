#include "store/run_lock.h"

#include <fcntl.h>
#include <fmt/format.h>
#include <sys/file.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <cstdlib>
#include <optional>
#include <thread>

#include "base/text.h"
#include "process/process_identity.h"

namespace assay {
namespace {

constexpr Nanos kPollEvery = std::chrono::milliseconds(200);
constexpr size_t kMaxHolderBytes = 512;

struct Holder {
  std::string run_id;
  int64_t pid = 0;
  std::string since;
};

std::string holder_line(std::string_view run_id) {
  const int64_t pid = ::getpid();
  return fmt::format("{} {} {} {}\n", pid, process_start_ticks(pid).value_or(0), run_id,
                     utc_text(wall_now_ns()));
}

/// Who the file names, if that process still lives. The text of a dead holder names nobody.
std::optional<Holder> living_holder(int fd) {
  std::string text(kMaxHolderBytes, '\0');
  const ssize_t got = ::pread(fd, text.data(), text.size(), 0);
  if (got <= 0) return std::nullopt;
  text.resize(static_cast<size_t>(got));
  const auto fields = split(trim(text), ' ');
  if (fields.size() != 4 || text.back() != '\n') return std::nullopt;
  const int64_t pid = std::atoll(fields[0].c_str());
  const int64_t started = process_start_ticks(pid).value_or(0);
  if (pid <= 0 || started == 0 || started != std::atoll(fields[1].c_str())) return std::nullopt;
  // 2026-01-31T12:00:05.123Z: the time of day is enough beside a running process.
  const std::string& utc = fields[3];
  return Holder{fields[2], pid, utc.size() == 24 ? utc.substr(11, 8) + "Z" : utc};
}

Error conflict(int fd) {
  const std::string hint = "wait for it with --wait, or stop it";
  const auto holder = living_holder(fd);
  if (!holder) return {Errc::kConflict, "another run is measuring; it has not said which", hint};
  return {
      Errc::kConflict,
      fmt::format("another run is measuring: run {}, pid {}, since {}",
                  printable(holder->run_id.substr(0, 8)), holder->pid, printable(holder->since)),
      hint};
}

Fd open_lock_file(const std::filesystem::path& path) {
  Fd fd(::open(path.c_str(), O_RDWR | O_CREAT | O_CLOEXEC | O_NOFOLLOW, 0666));
  if (!fd.valid() && errno == EACCES) {
    // Another user's file: it can be locked all the same, only not signed.
    fd = Fd(::open(path.c_str(), O_RDONLY | O_CLOEXEC | O_NOFOLLOW));
  }
  return fd;
}

}  // namespace

std::filesystem::path lock_path() {
  const auto usable = [](const char* directory) {
    return directory != nullptr && directory[0] == '/' && ::access(directory, W_OK | X_OK) == 0;
  };
  if (const char* named = std::getenv("ASSAY_LOCK_FILE"); named != nullptr && *named != '\0') {
    return named;
  }
  const char* runtime = std::getenv("XDG_RUNTIME_DIR");
  if (usable(runtime)) return std::filesystem::path(runtime) / "assay.lock";
  if (usable("/run/lock")) return "/run/lock/assay.lock";
  return "/tmp/assay.lock";
}

Result<RunLock> RunLock::acquire(const std::filesystem::path& path, std::string_view run_id) {
  Fd fd = open_lock_file(path);
  if (!fd.valid()) {
    return fail(Errc::kIo,
                fmt::format("cannot open the lock file {}: {}", path.string(), errno_text(errno)),
                "name another one in ASSAY_LOCK_FILE");
  }
  if (::flock(fd.get(), LOCK_EX | LOCK_NB) != 0) {
    if (errno == EWOULDBLOCK) return fail(conflict(fd.get()));
    return fail(Errc::kIo, fmt::format("cannot lock {}: {}", path.string(), errno_text(errno)));
  }
  const std::string line = holder_line(run_id);
  // The lock counts, its text is a courtesy: a full disk must not stop a run here.
  if (::ftruncate(fd.get(), 0) == 0) (void)write_all(fd.get(), line, path.string());
  return RunLock(std::move(fd));
}

Result<RunLock> RunLock::wait(const std::filesystem::path& path, std::string_view run_id,
                              Nanos bound, const OnWait& on_wait) {
  const MonoNs start = mono_now_ns();
  for (;;) {
    auto lock = acquire(path, run_id);
    if (lock || lock.error().code != Errc::kConflict) return lock;
    const Nanos waited(mono_now_ns() - start);
    if (waited >= bound) {
      return fail(Errc::kTimeout,
                  fmt::format("waited {} s in vain: {}",
                              std::chrono::duration_cast<std::chrono::seconds>(waited).count(),
                              lock.error().message));
    }
    if (on_wait && !on_wait(lock.error(), waited)) {
      return fail(Errc::kCancelled, "stopped waiting: " + lock.error().message);
    }
    std::this_thread::sleep_for(std::min(kPollEvery, bound - waited));
  }
}

RunLock::~RunLock() {
  if (fd_.valid() && ::ftruncate(fd_.get(), 0) != 0)
    return;  // Not ours to write; closing frees it.
}

}  // namespace assay
