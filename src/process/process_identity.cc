#include "process/process_identity.h"

#include <fmt/format.h>
#include <poll.h>
#include <signal.h>
#include <sys/syscall.h>
#include <unistd.h>

#include <cerrno>
#include <charconv>
#include <utility>

#include "base/files.h"
#include "base/text.h"

namespace assay {
namespace {

/// Nobody can refuse SIGKILL, but a busy machine may take its time.
constexpr Nanos kKillTime = std::chrono::seconds(5);

/// Waits on a descriptor of a process until the process ends. False when the time is over.
bool ended_within(int process, Nanos time) {
  const MonoNs deadline = mono_now_ns() + time.count();
  for (;;) {
    const MonoNs left_ms = (deadline - mono_now_ns()) / 1'000'000;
    pollfd watched{process, POLLIN, 0};
    const int got = ::poll(&watched, 1, static_cast<int>(left_ms > 0 ? left_ms : 0));
    if (got > 0) return true;
    if (left_ms <= 0) return false;
  }
}

}  // namespace

std::optional<int64_t> process_start_ticks(int64_t pid) {
  const auto status = read_file(fmt::format("/proc/{}/stat", pid), 4096);
  if (!status) return std::nullopt;
  // The name in parentheses may hold anything. After it come the state and, 19 fields later, the
  // start.
  const size_t name_end = status->rfind(')');
  if (name_end == std::string::npos || name_end + 2 > status->size()) return std::nullopt;
  const auto fields = split(std::string_view(*status).substr(name_end + 2), ' ');
  if (fields.size() <= 19 || fields[0] == "Z" || fields[0] == "X") return std::nullopt;
  int64_t ticks = 0;
  const std::string& text = fields[19];
  const auto parsed = std::from_chars(text.data(), text.data() + text.size(), ticks);
  return parsed.ec == std::errc() ? std::optional(ticks) : std::nullopt;
}

std::optional<ProcessIdentity> identity_of(int64_t pid) {
  const auto ticks = process_start_ticks(pid);
  const auto boot = read_file("/proc/sys/kernel/random/boot_id", 4096);
  if (!ticks || !boot) return std::nullopt;
  return ProcessIdentity{pid, *ticks, std::string(trim(*boot))};
}

bool is_running(const ProcessIdentity& process) { return identity_of(process.pid) == process; }

Result<void> end_process(const ProcessIdentity& process, Nanos grace) {
  if (process.pid <= 1) return {};
  // The descriptor keeps meaning this process, so it is looked at after the descriptor is there.
  const Fd held(static_cast<int>(::syscall(SYS_pidfd_open, process.pid, 0)));
  if (!held.valid() && errno == ESRCH) return {};
  if (!held.valid()) {
    return fail(Errc::kIo,
                fmt::format("cannot reach process {}: {}", process.pid, errno_text(errno)));
  }
  if (!is_running(process)) return {};
  for (const auto& [signal, time] : {std::pair(SIGTERM, grace), std::pair(SIGKILL, kKillTime)}) {
    const long sent = ::syscall(SYS_pidfd_send_signal, held.get(), signal, nullptr, 0);
    if (sent != 0 && errno == ESRCH) return {};
    if (sent != 0) {
      return fail(Errc::kIo,
                  fmt::format("cannot end process {}: {}", process.pid, errno_text(errno)));
    }
    if (ended_within(held.get(), time)) return {};
  }
  return fail(Errc::kIo, fmt::format("process {} does not end", process.pid));
}

}  // namespace assay
