#include "run/engine_processes.h"

#include "net/url.h"
#include "process/process_io.h"
#include "telemetry/listeners.h"
#include "telemetry/process_family.h"

namespace assay {

Result<std::vector<int>> engine_processes(const Session& session, const LiveCell& live,
                                          const std::filesystem::path& proc) {
  if (const ManagedEngine* engine = session.managed(live)) {
    if (const auto pid = engine->pid()) return std::vector<int>{*pid};
    return fail(Errc::kUnavailable, "the engine has ended");
  }
  const auto url = parse_url(live.cell.url);
  if (!url || !url->is_loopback()) {
    return fail(Errc::kUnavailable, "the engine's process is on another machine");
  }
  Listeners listeners(proc);
  const uint16_t port = url->port;
  const Listeners::Found& found = listeners.at({&port, 1}, mono_now_ns());
  if (!found.missing.empty()) return fail(Errc::kUnavailable, found.missing);
  return found.processes;
}

std::optional<int64_t> engine_memory(const Session& session, const LiveCell& live,
                                     const std::filesystem::path& proc) {
  const auto processes = engine_processes(session, live, proc);
  if (!processes) return std::nullopt;
  std::optional<int64_t> sum;
  for (const int first : *processes) {
    for (const int process : process_family(proc, first)) {
      if (const auto bytes = peak_memory_bytes(process, proc)) sum = sum.value_or(0) + *bytes;
    }
  }
  return sum;
}

}  // namespace assay
