#pragma once

#include <chrono>
#include <cstddef>
#include <cstdint>
#include <filesystem>
#include <functional>
#include <memory>
#include <string>
#include <variant>

#include "base/clock.h"
#include "base/result.h"
#include "model/call_record.h"
#include "store/ledger.h"
#include "store/responses.h"

namespace assay {

/// One thing to bring to disk.
struct WriterEntry {
  enum class Kind : uint8_t { kLedger, kResponse, kEvent, kTelemetry, kLog };
  Kind kind = Kind::kLedger;
  /// A record for kLedger, a ResponseText for kResponse, else text: one line without line end.
  std::variant<std::string, CallRecord, ResponseText> body;
  int64_t wall_ns = 0;  ///< When it happened; printed in run.log.
};

struct WriterOptions {
  size_t queue_entries = 1 << 16;
  /// How long the first entry of a batch waits for company. An entry is on its way to the disk at
  /// most 50 ms after it was queued, as long as the disk itself keeps up.
  std::chrono::milliseconds gather{20};
  /// Both run on the writer thread, must not block for long and must not call flush() or stop().
  std::function<void(int64_t acknowledged)> on_durable;  ///< After a sync that covered records.
  std::function<void(const Error&)> on_error;            ///< Once for each failure; see retry().
};

/// The writer thread of one run: everything the run brings to disk passes through its bounded
/// queue. Ledger lines are durable when acknowledged; responses.jsonl, events.jsonl,
/// telemetry.jsonl and run.log stand beside the ledger, are made on first use and are synced by
/// flush() and stop(), events never. A record whose response was queued before it never reaches the
/// disk without that response, short of a power cut.
///
/// When a write or sync fails, nothing is lost: the thread keeps what is not acknowledged, tells
/// `on_error`, and takes nothing more from the queue until retry(). The queue goes on holding
/// entries up to its bound, so that calls in flight can still deliver their records.
class RunWriter {
 public:
  /// Starts the thread. Takes over the ledger; the other files go to its directory.
  RunWriter(LedgerFile ledger, WriterOptions options);
  /// stop(), its Error dropped.
  ~RunWriter();
  RunWriter(const RunWriter&) = delete;
  RunWriter& operator=(const RunWriter&) = delete;

  /// Each queues one entry and never waits for the disk. False when the queue is full or the writer
  /// stopped: the entry is lost and the run has to fail. Any thread.
  [[nodiscard]] bool push(WriterEntry entry);
  [[nodiscard]] bool record(CallRecord record);
  [[nodiscard]] bool ledger_line(std::string line);  ///< meta, resume and end lines.
  [[nodiscard]] bool response(ResponseText response);
  [[nodiscard]] bool event(std::string line);      ///< As EventLines makes it.
  [[nodiscard]] bool telemetry(std::string line);  ///< Of store/telemetry_file.h.
  [[nodiscard]] bool log(std::string text);        ///< Stamped now; control characters removed.

  /// CallRecords of this session that are on the disk. Any thread.
  [[nodiscard]] int64_t acknowledged() const;

  /// Waits until everything queued before is durable (events: written). kTimeout, or the Error the
  /// writer is held up by. Any thread but the writer's.
  Result<void> flush(Nanos timeout);

  /// After `on_error`: tries again what is kept, then goes on. No effect otherwise. Any thread.
  void retry();

  /// Takes no more entries, writes what is queued, syncs, joins the thread. When the disk refuses,
  /// gives up: the Error says how many ledger lines are lost. A second call returns the same. One
  /// thread, not the writer's.
  Result<void> stop();

 private:
  struct Impl;
  std::unique_ptr<Impl> impl_;
};

}  // namespace assay
