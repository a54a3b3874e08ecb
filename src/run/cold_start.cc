#include "run/cold_start.h"

#include "base/page_cache.h"
#include "net/sleep.h"
#include "telemetry/source.h"

namespace assay {
namespace {

/// Source 004: unloading is asked for, then given two seconds.
constexpr Nanos kPause = std::chrono::seconds(2);

void note_page_cache(const LiveCell& live, CallRecord& record) {
  const std::string& file = live.model_file.empty() ? live.served_file : live.model_file;
  if (file.empty()) {
    record.cold_note = "the engine does not say which file it reads";
    return;
  }
  const auto share = page_cache_share(file);
  if (share) {
    record.page_cache_share = *share;
  } else {
    record.cold_note = share.error().message;
  }
}

/// A process that is started for the call has read nothing before it.
Result<EngineReads> reads_before(const Session& session, const LiveCell& live,
                                 const std::string& kind) {
  if (kind == "restart" && session.managed(live) != nullptr) return EngineReads();
  return engine_reads(session, live, machine_roots().proc);
}

}  // namespace

Task<Result<void>> make_cold(Session& session, size_t cell, MonoNs epoch, CallRecord& record,
                             ReadsBefore& reads) {
  const LiveCell& live = session.cells[cell];
  if (live.cell.cold_kind == "process_warm") {
    record.cold_kind = live.cell.cold_kind;
    co_return Result<void>();
  }
  const MonoNs asked = mono_now_ns();
  const auto kind = co_await unload_cell(session, cell);
  if (!kind) {
    co_return fail(kind.error().code, "cannot be made cold: " + kind.error().message);
  }
  record.cold_kind = *kind;
  if (*kind == "process_warm") co_return Result<void>();
  record.at.unload_start = asked - epoch;
  record.at.unload_end = mono_now_ns() - epoch;
  // A process that has ended needs no time to free its memory.
  if (*kind != "restart") co_await sleep_for(session.io, kPause);
  note_page_cache(live, record);
  reads = reads_before(session, live, *kind);
  record.at.pause_end = mono_now_ns() - epoch;
  const auto loaded = co_await load_cell(session, cell);
  if (!loaded) co_return fail(loaded.error());
  if (*loaded) {
    record.at.load_start = record.at.pause_end;
    record.at.load_end = mono_now_ns() - epoch;
  }
  co_return Result<void>();
}

void add_cold_facts(const CallRecord& cold, CallRecord& record) {
  record.cold_kind = cold.cold_kind;
  record.cold_note = cold.cold_note;
  record.page_cache_share = cold.page_cache_share;
  record.at.unload_start = cold.at.unload_start;
  record.at.unload_end = cold.at.unload_end;
  record.at.pause_end = cold.at.pause_end;
  record.at.load_start = cold.at.load_start;
  record.at.load_end = cold.at.load_end;
}

void note_reads(const Session& session, size_t cell, const ReadsBefore& before,
                CallRecord& record) {
  if (!before) return;
  const auto after = engine_reads(session, session.cells[cell], machine_roots().proc);
  if (*before && after) {
    record.read_bytes = read_between(**before, *after);
    return;
  }
  const std::string& why = *before ? after.error().message : before->error().message;
  if (!record.cold_note) {
    record.cold_note = why;
  } else if (*record.cold_note != why) {
    *record.cold_note += "; " + why;
  }
}

}  // namespace assay
