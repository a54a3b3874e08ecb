#include "run/record_keeper.h"

#include <utility>

#include "run/planned_call.h"

namespace assay {

RecordKeeper::RecordKeeper(const ActiveRun& run, std::function<void()> on_full)
    : run_(run),
      on_full_(std::move(on_full)),
      progress_(run.remaining.progress),
      legs_(run.remaining.legs) {
  progress_.total = static_cast<int64_t>(run.meta.calls.size());
  progress_.cells = static_cast<int64_t>(run.meta.cells.size());
}

void RecordKeeper::add(CallRecord record, std::string text) {
  if (record.final) {
    legs_.add(record);
    progress_.add(record);
  }
  run_.events.call_done(record);
  run_.events.progress(progress_);
  if (!text.empty() && keeps_text(record, run_.spec)) {
    ResponseText response;
    response.index = record.index;
    response.attempt = record.attempt;
    response.text = std::move(text);
    require(run_.writer.response(std::move(response)));
  }
  last_ = record;
  last_.tokens.clear();
  require(run_.writer.record(std::move(record)));
}

void RecordKeeper::add_skipped(CallRecord record, const std::string& reason) {
  record.outcome = Outcome::kSkipped;
  record.error = "skipped: " + reason;
  add(std::move(record), {});
}

void RecordKeeper::add_unplanned(CallRecord record) {
  require(run_.writer.record(std::move(record)));
}

void RecordKeeper::add_line(std::string line) { require(run_.writer.ledger_line(std::move(line))); }

void RecordKeeper::require(bool queued) {
  if (queued || !error_.empty()) return;
  error_ = "the disk does not keep up: the queue of records is full";
  on_full_();
}

}  // namespace assay
