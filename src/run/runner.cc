#include "run/runner.h"

#include <fmt/format.h>

#include <boost/asio/steady_timer.hpp>
#include <csignal>
#include <map>
#include <optional>
#include <utility>

#include "load/load.h"
#include "model/cooldown.h"
#include "model/json.h"
#include "run/active_run.h"
#include "run/call_issuer.h"
#include "run/cell_course.h"
#include "run/cooling.h"
#include "run/disk_pause.h"
#include "run/due_times.h"
#include "run/engine_keeper.h"
#include "run/in_flight.h"
#include "run/machine_guard.h"
#include "run/record_keeper.h"
#include "run/run_stop.h"
#include "run/run_telemetry.h"
#include "run/server_counters.h"
#include "run/stage.h"
#include "run/wait_for.h"

namespace assay {
namespace {

/// One run's execution on the load thread.
class Runner {
 public:
  Runner(const ActiveRun& run, DiskTrouble& disk, const OnProgress& on_progress)
      : run_(run),
        on_progress_(on_progress),
        disk_(disk, run.writer, run.events, run.note),
        keeper_(run.session, run.spec, keeper_hooks()),
        stop_(run.session.io, run.spec.grace, stop_hooks()),
        records_(run_, [this] { stop_.now(); }),
        load_watch_(run_, records_),
        course_(run_),
        cooling_(run.session.io, cooldown_of(run.spec.cooldown), run.epoch, cooling_hooks()),
        in_flight_([this](bool any) { cooling_.in_flight(any); }),
        guard_(run_.spec, run_.meta),
        issuer_(run_, CallIssuer::Around{keeper_, course_, records_, load_watch_, disk_, stop_,
                                         in_flight_, cooling_}),
        counters_(run.session),
        ticker_(run.session.io) {}

  RunResult run() {
    LoopLag lag(run_.session.io);
    telemetry_.emplace(RunTelemetry::Setup{run_.session, run_.meta, run_.spec, run_.writer,
                                           run_.events, run_.note, run_.epoch,
                                           run_.remaining.telemetry_bytes});
    stop_.listen();
    tick();
    const bool done = run_.session.wait_for(run_stages());
    lag.stop();
    // Handlers that are still queued refer to this object: they run now.
    telemetry_.reset();
    run_.session.io.restart();
    run_.session.io.poll();
    RunResult result;
    result.error = records_.error();
    result.state = !result.error.empty() ? "failed" : done ? "completed" : "interrupted";
    result.signal = stop_.signal();
    result.stopped_by = stopped_by_;
    result.wall_s = static_cast<double>(mono_now_ns() - run_.epoch) / 1e9;
    result.loop_lag_p99_ms = lag.p99_ms();
    result.loop_lag_max_ms = lag.max_ms();
    result.in_flight_s = in_flight_.seconds();
    result.leg_counters = counters_.kept();
    result.progress = records_.progress();
    return result;
  }

 private:
  EngineKeeper::Hooks keeper_hooks() {
    EngineKeeper::Hooks hooks;
    hooks.note = run_.note;
    hooks.log = [this](const std::string& line) {
      [[maybe_unused]] const bool queued = run_.writer.log(line);
    };
    hooks.alert = [this](const std::string& what) { run_.events.alert("engine_died", what); };
    hooks.stopping = [this] { return stop_.asked(); };
    return hooks;
  }

  Cooling::Hooks cooling_hooks() {
    Cooling::Hooks hooks;
    hooks.latest = [this] { return telemetry_ ? telemetry_->latest() : std::nullopt; };
    hooks.stopping = [this] { return stop_.asked(); };
    hooks.doing = [this](std::string text) {
      run_.events.cooling(text);
      records_.progress().doing = std::move(text);
    };
    hooks.rested = [this](const CoolingWait& wait) {
      course_.leave_out(wait.to_ns - wait.from_ns);
      records_.add_line(wait_line(wait));
    };
    return hooks;
  }

  RunStop::Hooks stop_hooks() {
    RunStop::Hooks hooks;
    hooks.asked = [this](int signal) {
      run_.note(fmt::format(
          "Stopping after the calls in flight ({} again to drop them). {} results are saved.",
          signal == SIGINT ? "Ctrl-C" : "SIGTERM", records_.progress().done));
    };
    hooks.drop = [this] { in_flight_.cancel_all(); };
    return hooks;
  }

  Task<bool> run_stages() {
    const auto count = static_cast<int64_t>(run_.meta.calls.size());
    int64_t begin = 0;
    // The machine's power at rest is known from the time before the first call.
    if (run_.remaining.elapsed_ns == 0) {
      co_await stop_.wait_until(mono_now_ns() + run_.spec.idle.count());
    }
    while (begin < count && !stop_.asked()) {
      const PlanStage stage = stage_at(run_.meta, begin);
      if (is_done(stage)) {
        begin = stage.end;
        continue;
      }
      co_await keeper_.prepare(stage.cells);
      enter_cell(run_.leg_of(begin).cell);
      for (const auto& [cell, first] : stage.first_calls) {
        if (!stop_.asked()) co_await enter_restart(first);
      }
      if (stop_.asked()) break;
      co_await run_stage(stage);
      begin = stage.end;
    }
    ticker_.cancel();
    stop_.close();
    co_return !stop_.asked();
  }

  /// Whether an earlier session made all of its calls.
  [[nodiscard]] bool is_done(const PlanStage& stage) const {
    for (int64_t index = stage.begin; index < stage.end; ++index) {
      if (!run_.remaining.done.contains(index)) return false;
    }
    return true;
  }

  Task<void> run_stage(const PlanStage& stage) {
    co_await counters_.begin(run_.meta, stage.legs);
    int64_t at = stage.begin;
    const auto next = [this, &at, &stage]() -> int64_t {
      while (at < stage.end && run_.remaining.done.contains(at)) ++at;
      return at < stage.end && !stop_.asked() ? at++ : -1;
    };
    const auto issue = [this](int64_t index) { return issuer_.issue(index); };
    const Leg& leg = run_.leg_of(stage.begin);
    if (leg.request_rate) {
      constexpr MonoNs kLead = 10'000'000;
      DueTimes due =
          due_times(run_.meta, stage.begin, stage.end, run_.remaining.done, mono_now_ns() + kLead);
      std::vector<MonoNs> left = due.left;
      issuer_.set_due(std::move(due));
      co_await run_open(run_.session.io, std::move(left), next, issue);
    } else {
      co_await run_closed(run_.session.io, leg.concurrency, next, issue);
    }
    co_await counters_.end();
  }

  void enter_cell(int64_t index) {
    if (!course_.enter(index)) return;
    records_.progress().cell = index + 1;
    const Cell& cell = run_.meta.cells[static_cast<size_t>(index)];
    run_.events.cell_state(cell, cell.unavailable.empty() ? "running" : "skipped");
  }

  /// Loads the model of a stage's cell anew where the plan says so at its first call.
  Task<void> enter_restart(int64_t index) {
    const int64_t cell = run_.leg_of(index).cell;
    const int64_t restart = run_.meta.calls[static_cast<size_t>(index)].restart;
    const auto [loaded, is_first] = loads_.try_emplace(cell, restart);
    if (is_first || loaded->second == restart || course_.has_given_up(cell)) co_return;
    loaded->second = restart;
    run_.note(fmt::format("loading {} anew, {} of {}",
                          run_.meta.cells[static_cast<size_t>(cell)].model, restart + 1,
                          run_.spec.restarts));
    const std::string failed = co_await keeper_.reload(cell);
    if (!failed.empty()) course_.give_up(cell, failed);
    course_.restart_clock();
  }

  /// Four times a second: the progress line, the engines' logs, a disk that may work again.
  void tick() {
    ticker_.expires_after(std::chrono::milliseconds(250));
    ticker_.async_wait([this](const boost::system::error_code& error) {
      if (error) return;
      keeper_.drain();
      disk_.tick();
      if (telemetry_) telemetry_->watch(run_.session.started);
      guard();
      records_.progress().estimate_end(run_.remaining.progress.done,
                                       mono_now_ns() - run_.epoch - run_.remaining.elapsed_ns);
      on_progress_(records_.progress(), records_.last());
      tick();
    });
  }

  /// --max-temp and --max-power end the run, and the calls in flight with it.
  void guard() {
    if (!telemetry_) return;
    std::string why = guard_.look(telemetry_->latest(), in_flight_);
    if (why.empty() || !stopped_by_.empty()) return;
    run_.note(fmt::format("Stopping: {}. {} results are saved.", why, records_.progress().done));
    run_.events.alert("stopped", why);
    stopped_by_ = std::move(why);
    stop_.now();
  }

  const ActiveRun run_;
  const OnProgress& on_progress_;
  DiskPause disk_;
  EngineKeeper keeper_;
  RunStop stop_;
  RecordKeeper records_;
  LoadWatch load_watch_;
  CellCourse course_;
  Cooling cooling_;
  InFlight in_flight_;
  MachineGuard guard_;
  CallIssuer issuer_;
  StageCounters counters_;
  boost::asio::steady_timer ticker_;
  std::optional<RunTelemetry> telemetry_;  ///< While run() runs.
  std::map<int64_t, int64_t> loads_;       ///< By cell: the restart whose model is loaded.
  std::string stopped_by_;
};

}  // namespace

RunResult run_plan(Session& session, const RunMeta& meta, const RunSpec& spec,
                   const Remaining& remaining, RunWriter& writer, SentCalls& sent,
                   DiskTrouble& disk, LiveEvents& events, const OnProgress& on_progress,
                   const OnNote& note) {
  const ActiveRun run{session,   meta,   spec,
                      remaining, writer, sent,
                      events,    note,   mono_now_ns() - remaining.elapsed_ns};
  Runner runner(run, disk, on_progress);
  return runner.run();
}

}  // namespace assay
