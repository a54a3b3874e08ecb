#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

#include "importers/importer.h"

namespace assay {

/// A run put together from what a foreign file tells. Every record gets the ids of its leg and the
/// flag `imported`, and our metrics come out of it by the same code as from calls of our own.
class RunBuilder {
 public:
  /// `engine`: what the tool measures, unless the hints say otherwise.
  RunBuilder(const ImportHints& hints, std::string_view engine);

  /// The cell of a model; made on first use. The hints' name goes before the file's, and `variant`
  /// tells several configurations of one model apart.
  int64_t cell(std::string_view model, std::string_view variant = {});
  [[nodiscard]] Cell& cell_at(int64_t index) { return run_.meta.cells[static_cast<size_t>(index)]; }

  /// The leg of a test; made on first use. `concurrency` absent: as many as were in flight at once.
  int64_t leg(int64_t cell, std::string_view prompt_id, Phase phase,
              std::optional<int64_t> concurrency, std::optional<int64_t> target_tokens = {});
  /// Nothing of the leg can be made a record of, for this reason.
  void only_totals(int64_t leg, std::string_view why);

  /// False when there are kMaxImportedCalls already.
  [[nodiscard]] bool add(int64_t leg, CallRecord record);

  /// A figure as the tool states it. Beyond kMaxReportedFigures they are left out, which a note
  /// says.
  void report(std::string_view of, std::string_view name, std::string_view unit,
              std::optional<double> value);
  /// How the tool defines what could be taken for ours.
  void define(std::string definition);
  void note(std::string text) { run_.meta.notes.push_back(std::move(text)); }
  void version(std::string text) { run_.meta.imported->version = std::move(text); }
  /// When the measurement began, nanoseconds since the Unix epoch; records count from there.
  void started(int64_t wall_ns) { run_.meta.started_wall_ns = wall_ns; }

  /// kProtocol when there is neither a record nor a figure.
  Result<ImportedRun> finish();

 private:
  void count_concurrency();
  void set_wall_time();

  ImportHints hints_;
  ImportedRun run_;
  size_t left_out_ = 0;
};

/// The text-bearing events of a stream as CallRecord::tokens. `deltas_ns`: since the event before,
/// the first since `sent`; negative ones count as none.
class TokenTimes {
 public:
  void add(int64_t delta_ns);
  [[nodiscard]] int64_t events() const { return events_; }
  std::string take() { return std::move(tokens_); }

 private:
  std::string tokens_;
  int64_t at_ns_ = 0;
  int64_t at_us_ = 0;
  int64_t events_ = 0;
};

/// A record of a call that the tool counts as failed, in its words.
void set_failed(CallRecord& record, std::string error, std::optional<int64_t> http_status);

/// Too many calls for one run.
tl::unexpected<Error> too_many_calls();

}  // namespace assay
