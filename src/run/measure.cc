#include "run/measure.h"

#include <fmt/format.h>

#include <algorithm>
#include <thread>
#include <utility>

#include "base/files.h"
#include "base/ids.h"
#include "base/text.h"
#include "model/json.h"
#include "run/calibrate.h"
#include "run/environment.h"
#include "run/estimate.h"
#include "run/harness.h"
#include "run/known_results.h"
#include "run/machine_guard.h"
#include "run/machine_probe.h"
#include "run/matrix.h"
#include "run/model_filter.h"
#include "run/open_run.h"
#include "run/planner.h"
#include "run/server_counters.h"
#include "run/stage.h"
#include "run/suites.h"
#include "run/sustain.h"
#include "run/variants.h"
#include "run/weights.h"
#include "store/index.h"
#include "store/ledger.h"
#include "store/run_lock.h"
#include "supervise/detached.h"

namespace assay {
namespace {

constexpr Nanos kMaxLockWait = std::chrono::hours(24);
constexpr Nanos kFlushTimeout = std::chrono::seconds(30);

Result<RunLock> take_lock(const RunSpec& spec, const std::string& run_id, const OnNote& note) {
  if (!spec.wait) return RunLock::acquire(lock_path(), run_id);
  bool told = false;
  return RunLock::wait(lock_path(), run_id, kMaxLockWait, [&](const Error& conflict, Nanos) {
    if (!told) note(fmt::format("waiting: {}", conflict.message));
    told = true;
    return true;
  });
}

/// From the plan on the disk to the end line: the same for new and resumed runs.
Measured carry_out(Session& session, const RunSpec& spec, const RunMeta& meta,
                   const RunPaths& paths, const Remaining& remaining, RunWriter& writer,
                   SentCalls& sent, DiskTrouble& disk, EventLines lines,
                   const MeasureHooks& hooks) {
  LiveEvents events(std::move(lines), [&](std::string line) {
    // A full queue ends the run by way of its records; live events may be lost.
    [[maybe_unused]] const bool queued = writer.event(std::move(line));
  });
  const OnNote note = [&](const std::string& text) {
    if (hooks.note) hooks.note(text);
    [[maybe_unused]] const bool queued = writer.log(text);
  };
  const OnProgress progress =
      hooks.progress ? hooks.progress : [](const LiveEvents::Progress&, const CallRecord*) {};
  events.run_state("running", meta);
  events.suite_state(meta, "running");
  if (hooks.planned) hooks.planned(meta);

  Measured measured;
  measured.run_id = meta.run_id;
  measured.paths = paths;
  const bool is_whole = remaining.done.empty() && remaining.started.empty();
  const auto before = is_whole ? read_counters(session) : std::vector<ServerCounters>();
  measured.result =
      run_plan(session, meta, spec, remaining, writer, sent, disk, events, progress, note);
  RunResult& result = measured.result;

  RunEnd end;
  end.state = result.state;
  end.stopped_by = result.stopped_by;
  end.finished_at_utc = utc_text(wall_now_ns());
  end.load_avg_end = load_averages();
  end.wall_s = result.wall_s;
  end.loop_lag_p99_ms = result.loop_lag_p99_ms;
  end.loop_lag_max_ms = result.loop_lag_max_ms;
  if (is_whole) end.in_flight_s = result.in_flight_s;
  end.leg_counters = std::move(result.leg_counters);
  if (is_whole) end.server_counters = counted_since(before, read_counters(session));
  [[maybe_unused]] const bool ended = writer.ledger_line(end_line(end));
  events.run_state(result.state, meta);
  events.end(result.state);
  note(fmt::format("run {} {}: {} ok, {} failed, {} skipped of {} calls", meta.run_id, result.state,
                   result.progress.ok, result.progress.failed, result.progress.skipped,
                   result.progress.total));
  if (auto stopped = writer.stop(); !stopped) {
    result.state = "failed";
    result.error = stopped.error().message;
  }
  return measured;
}

/// How the engines behind the session's cells can be asked.
FitOf fit_of(const Session& session) {
  return [&session](int64_t cell, const CallSettings& settings) {
    const LiveCell& live = session.cells[static_cast<size_t>(cell)];
    if (live.engine == nullptr) return SettingsFit();
    return live.engine->fit_request(CallRequest(live.cell.model, std::string(), settings));
  };
}

void update_index(const std::filesystem::path& data_dir, const MeasureHooks& hooks) {
  // The ledger is the truth: an index that cannot be written now is made from it later.
  const auto synced = sync_index(data_dir);
  if (!synced && hooks.note) hooks.note("the index was not updated: " + synced.error().message);
}

std::string described(const RunMeta& meta) {
  return fmt::format("run {} starts: suite {}, {} cells, {} calls", meta.run_id, meta.suite,
                     meta.cells.size(), meta.calls.size());
}

/// Figures of a machine that does something else are figures of both.
void note_busy_machine(const RunMeta& meta, const OnNote& note) {
  const double cores = std::max(1U, std::thread::hardware_concurrency());
  constexpr double kBusyPerCore = 0.5;
  if (meta.load_avg_start.empty() || meta.load_avg_start[0] <= kBusyPerCore * cores) return;
  note(
      fmt::format("this machine is busy: load average {:.1f} on {:.0f} cores; an engine here is "
                  "slower than it could be",
                  meta.load_avg_start[0], cores));
}

/// What the client and, under an engine of our own, the machine can do at most.
void learn_instrument(Session& session, RunMeta& meta, const OnNote& note) {
  int64_t concurrency = 1;
  for (const Leg& leg : meta.legs) concurrency = std::max(concurrency, leg.concurrency);
  auto calibration = cached_calibration(session, concurrency, note);
  if (calibration) {
    meta.instrument.calibration = *calibration;
  } else {
    note("the client could not be calibrated: " + calibration.error().message);
  }
  // The smallest model is read fastest: what is impossible for it is impossible for all.
  const Cell* smallest = nullptr;
  for (const Cell& cell : meta.cells) {
    if (!cell.token_cost) continue;
    if (smallest == nullptr || cell.token_cost->weight_bytes < smallest->token_cost->weight_bytes) {
      smallest = &cell;
    }
  }
  if (smallest == nullptr) return;
  const int64_t cores = std::max(1U, std::thread::hardware_concurrency());
  meta.instrument.machine =
      cached_machine(cores, static_cast<int64_t>(smallest->token_cost->weight_bytes), note);
}

/// Leaves out cells that were measured before, where all models are asked for.
Result<void> skip_known(const std::filesystem::path& data_dir, const RunSpec& spec,
                        Session& session, std::span<const Variant> variants, const OnNote& note) {
  if (!asks_for_all_models(spec) || spec.force) return {};
  RunMeta meta;
  for (const LiveCell& live : session.cells) meta.cells.push_back(live.cell);
  const auto known = skip_known_results(data_dir, spec, meta, variants, fit_of(session));
  if (!known) return fail(known.error());
  for (size_t i = 0; i < meta.cells.size(); ++i) session.cells[i].cell = meta.cells[i];
  if (*known > 0) {
    note(
        fmt::format("{} of {} cells have results for these settings: 'assay runs show ID' shows "
                    "those of the run that is named, --force measures again",
                    *known, meta.cells.size()));
  }
  return {};
}

WriterOptions writer_options(DiskTrouble& disk) {
  WriterOptions options;
  options.on_error = [&disk](const Error& error) { disk.raise(error); };
  return options;
}

}  // namespace

Remaining remaining_calls(const LedgerContent& ledger, const std::set<int64_t>& started) {
  const RunMeta& meta = ledger.meta;
  Remaining left;
  for (const CallRecord& record : ledger.calls) {
    if (record.index < 0) ++left.unplanned;
    if (record.index < 0 || record.index >= static_cast<int64_t>(meta.calls.size())) continue;
    const PlannedCall& call = meta.calls[static_cast<size_t>(record.index)];
    const Leg& leg = meta.legs[static_cast<size_t>(call.leg)];
    const std::string& prompt_hash =
        leg.prompt >= 0 ? meta.prompts[static_cast<size_t>(leg.prompt)].sha256 : std::string();
    const bool fits = record.cell_id == meta.cells[static_cast<size_t>(leg.cell)].id &&
                      record.prompt_sha256 == prompt_hash && record.phase == leg.phase &&
                      record.settings_hash == leg.settings_hash && record.run_idx == call.run_idx &&
                      record.concurrency == leg.concurrency;
    if (!fits) continue;
    // The time between sessions is no time of the run: it would count as throughput's.
    left.elapsed_ns = std::max(left.elapsed_ns, record.at.done.value_or(0) + 1);
    int64_t& attempts = left.attempts[record.index];
    attempts = std::max(attempts, record.attempt);
    if (!record.final || !left.done.insert(record.index).second) continue;
    left.progress.add(record);
    left.legs.add(record);
  }
  // A pause that was cut by a stop ends where the next session goes on.
  for (const CoolingWait& wait : ledger.waits) {
    left.elapsed_ns = std::max(left.elapsed_ns, wait.to_ns + 1);
  }
  for (const int64_t index : started) {
    if (!left.done.contains(index)) left.started.insert(index);
  }
  return left;
}

Result<Measured> measure(const RunSpec& spec, const MeasureHooks& hooks) {
  const OnNote note = hooks.note ? hooks.note : [](const std::string&) {};
  if (const auto faults = check_spec(spec); !faults.empty()) {
    return fail(Errc::kInvalidArgument, join(faults, "\n"));
  }
  // Told before anything is started.
  if (!spec.suite.empty()) {
    if (auto suite = load_suite(spec.suite); !suite) return fail(suite.error());
  }
  if (auto prompts = load_baseline_suite(spec.prompts_yaml); !prompts) {
    return fail(prompts.error());
  }
  if (auto sensors = check_guard_sensors(spec); !sensors) return fail(sensors.error());
  const auto harness = load_harness(spec);
  if (!harness) return fail(harness.error());
  const auto data_dir = data_directory(
      spec.data_dir.empty() ? std::nullopt : std::optional<std::string>(spec.data_dir));
  if (!data_dir) return fail(data_dir.error());
  RunMeta meta;
  describe_environment(meta);
  const auto lock = take_lock(spec, meta.run_id, note);
  if (!lock) return fail(lock.error());

  for (const std::string& swept : sweep_detached(*data_dir)) note(swept);

  Session session;
  const OnNote keep = [&](const std::string& text) {
    meta.notes.push_back(text);
    note(text);
  };
  auto variants = variants_of(spec);
  if (!variants) return fail(variants.error());
  const auto opened =
      *harness ? open_harness(session, spec, **harness) : open_run(session, spec, *variants, keep);
  if (!opened) return fail(opened.error());
  for (const LiveCell& live : session.cells) meta.cells.push_back(live.cell);
  const std::vector<Cell> found = std::exchange(meta.cells, {});
  if (auto here = check_guard_cells(spec, found); !here) return fail(here.error());
  if (auto named = check_sample_nodes(spec, found); !named) return fail(named.error());
  if (auto passed = pass_preflight(session, spec, *harness, meta, note); !passed) {
    return fail(passed.error());
  }
  auto nodes = connect_nodes(spec);
  if (!nodes) return fail(nodes.error());
  session.nodes = std::move(*nodes);
  note_busy_machine(meta, keep);
  for (const LiveCell& live : session.cells) {
    if (spec.restarts == 1 || !live.cell.unavailable.empty() || can_reload(live)) continue;
    return fail(
        Errc::kInvalidArgument,
        fmt::format("nothing here can load {} anew", printable(live.cell.id, 80)),
        "engines that Assay starts, Ollama, LM Studio, a router of llama.cpp and vLLM in its "
        "development mode can; elsewhere restart the server between runs");
  }
  if (auto skipped = skip_known(*data_dir, spec, session, *variants, keep); !skipped) {
    return fail(skipped.error());
  }
  note_weights(*data_dir, spec, session, note);
  const bool is_matrix = !variants->empty() && spec.ab.empty();
  if (needs_estimates(spec) && is_matrix) estimate_matrix(session, *variants, keep);
  if (needs_estimates(spec) && !is_matrix) {
    estimate_cells(session, spec, needed_context(spec), keep);
  }
  for (LiveCell& live : session.cells) {
    if (spec.cold > 0 && !*harness && live.engine && !can_reload(live)) {
      live.cell.cold_kind = "process_warm";
    }
    meta.cells.push_back(live.cell);
  }
  meta.seed = spec.seed ? static_cast<uint64_t>(*spec.seed) : random_u64() >> 16;
  meta.labels = spec.labels;
  meta.options_json = changed_options_json(to_record(spec, meta.cells));
  if (auto planned = make_plan(spec, meta, *variants, fit_of(session)); !planned) {
    return fail(planned.error());
  }
  sustain_legs(spec, meta);
  if (!spec.no_calibrate && available_cells(meta) > 0) learn_instrument(session, meta, note);

  const auto paths = create_run_directory(*data_dir, meta.run_id);
  if (!paths) return fail(paths.error());
  if (auto kept = write_file_atomic(paths->environment, raw_environment_json()); !kept) {
    return fail(kept.error());
  }
  auto ledger = LedgerFile::create(paths->ledger);
  if (!ledger) return fail(ledger.error());
  auto sent = SentCalls::open(paths->sent, static_cast<int64_t>(meta.calls.size()));
  if (!sent) return fail(sent.error());
  DiskTrouble disk;
  RunWriter writer(std::move(*ledger), writer_options(disk));
  // The plan is on the disk before the first call.
  if (!writer.ledger_line(meta_line(meta)) || !writer.log(described(meta))) {
    return fail(Errc::kIo, "the writer takes no plan");
  }
  if (auto flushed = writer.flush(kFlushTimeout); !flushed) return fail(flushed.error());
  if (spec.idle.count() > 0) {
    note(fmt::format("resting for {} before the first call", duration_text(spec.idle)));
  }
  Measured measured = carry_out(session, spec, meta, *paths, Remaining(), writer, *sent, disk,
                                EventLines(meta.run_id), hooks);
  update_index(*data_dir, hooks);
  for (const Cell& cell : meta.cells) {
    const bool was_loaded =
        !cell.load_attempts.empty() && cell.load_attempts.back().outcome == LoadOutcome::kOk;
    if (available_cells(meta) > 0 || !cell.managed || was_loaded) continue;
    Error error = not_loaded(cell);
    error.hint = fmt::format("'assay runs show {} --json' has each attempt with the end of its log",
                             meta.run_id.substr(0, 8));
    return fail(std::move(error));
  }
  return measured;
}

Result<Measured> resume_run(const RunSpec& caller, const std::string& run_name,
                            const MeasureHooks& hooks) {
  const OnNote note = hooks.note ? hooks.note : [](const std::string&) {};
  const auto data_dir = data_directory(
      caller.data_dir.empty() ? std::nullopt : std::optional<std::string>(caller.data_dir));
  if (!data_dir) return fail(data_dir.error());
  auto index = RunIndex::open(*data_dir);
  if (!index) return fail(index.error());
  if (auto synced = index->sync(); !synced) return fail(synced.error());
  const auto row = index->find_run(run_name);
  if (!row) return fail(row.error());

  const auto lock = take_lock(caller, row->run_id, note);
  if (!lock) return fail(lock.error());
  const RunPaths paths = run_paths(*data_dir, row->run_id);
  auto opened = LedgerFile::open_for_resume(paths.ledger);
  if (!opened) return fail(opened.error());
  const LedgerContent& ledger = opened->content;
  auto spec = recorded_spec(ledger.meta, caller);
  if (!spec) return fail(spec.error());
  if (auto sensors = check_guard_sensors(*spec); !sensors) return fail(sensors.error());
  auto sent = SentCalls::open(paths.sent, static_cast<int64_t>(ledger.meta.calls.size()));
  if (!sent) return fail(sent.error());
  Remaining left = remaining_calls(ledger, sent->marked());
  if (left.done.size() == ledger.meta.calls.size() && ledger.end) {
    return fail(Errc::kInvalidArgument, fmt::format("run {} is complete", row->run_id),
                fmt::format("'assay report {}' shows it", row->run_id.substr(0, 8)));
  }

  Session session;
  if (auto ready = reopen_cells(session, *spec, ledger.meta, note); !ready) {
    return fail(ready.error());
  }
  auto nodes = connect_nodes(*spec);
  if (!nodes) return fail(nodes.error());
  session.nodes = std::move(*nodes);
  std::error_code none_yet;
  const auto telemetry_bytes = std::filesystem::file_size(paths.telemetry, none_yet);
  left.telemetry_bytes = none_yet ? 0 : static_cast<size_t>(telemetry_bytes);
  const auto last_seq = last_event_seq(paths.events);
  DiskTrouble disk;
  RunWriter writer(std::move(opened->file), writer_options(disk));
  if (!writer.ledger_line(resume_line(utc_text(wall_now_ns()), left.elapsed_ns))) {
    return fail(Errc::kIo, "the writer takes no lines");
  }
  if (auto flushed = writer.flush(kFlushTimeout); !flushed) return fail(flushed.error());
  note(fmt::format("resuming run {}: {} of {} calls are done", row->run_id.substr(0, 8),
                   left.done.size(), ledger.meta.calls.size()));
  Measured measured = carry_out(session, *spec, ledger.meta, paths, left, writer, *sent, disk,
                                EventLines(ledger.meta.run_id, last_seq ? *last_seq : 0), hooks);
  update_index(*data_dir, hooks);
  return measured;
}

}  // namespace assay
