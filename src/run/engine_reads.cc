#include "run/engine_reads.h"

#include <algorithm>

#include "process/process_io.h"
#include "run/engine_processes.h"
#include "telemetry/process_family.h"

namespace assay {

Result<EngineReads> engine_reads(const Session& session, const LiveCell& live,
                                 const std::filesystem::path& proc) {
  const auto processes = engine_processes(session, live, proc);
  if (!processes) return fail(processes.error());
  EngineReads reads;
  for (const int first : *processes) {
    for (const int process : process_family(proc, first)) {
      const auto bytes = storage_read_bytes(process, proc);
      if (bytes) {
        reads[process] = *bytes;
      } else if (process == first) {
        return fail(bytes.error());  // A child may have ended meanwhile.
      }
    }
  }
  return reads;
}

int64_t read_between(const EngineReads& before, const EngineReads& after) {
  int64_t sum = 0;
  for (const auto& [process, bytes] : after) {
    const auto known = before.find(process);
    sum += std::max<int64_t>(0, bytes - (known == before.end() ? 0 : known->second));
  }
  return sum;
}

}  // namespace assay
