#include "run/runner.h"

#include <fmt/format.h>

#include <algorithm>
#include <boost/asio/post.hpp>
#include <boost/asio/signal_set.hpp>
#include <boost/asio/steady_timer.hpp>
#include <csignal>

#include "base/random.h"
#include "base/text.h"
#include "engines/call.h"
#include "load/arrivals.h"
#include "load/load.h"
#include "net/sleep.h"
#include "run/call_gates.h"
#include "run/cold_start.h"
#include "run/complete_record.h"
#include "run/disk_pause.h"
#include "run/engine_keeper.h"
#include "run/estimate.h"
#include "run/in_flight.h"
#include "run/legs_so_far.h"
#include "run/planned_call.h"
#include "run/retry_rule.h"
#include "run/run_telemetry.h"
#include "run/server_counters.h"
#include "run/synthetic.h"
#include "run/wait_for.h"
#include "stats/derive.h"

namespace assay {
namespace {

namespace asio = boost::asio;

constexpr int64_t kUnplanned = -1;  ///< Index of calls beside the plan.

/// One run's execution on the load thread.
class Runner {
 public:
  Runner(Session& session, const RunMeta& meta, const RunSpec& spec, const Remaining& remaining,
         RunWriter& writer, SentCalls& sent, DiskTrouble& disk, LiveEvents& events,
         const OnProgress& on_progress, const OnNote& note)
      : session_(session),
        meta_(meta),
        spec_(spec),
        remaining_(remaining),
        writer_(writer),
        sent_(sent),
        events_(events),
        on_progress_(on_progress),
        note_(note),
        disk_(disk, writer, events, note),
        keeper_(session, spec, keeper_hooks()),
        epoch_(mono_now_ns() - remaining.elapsed_ns),
        progress_(remaining.progress),
        ticker_(session.io),
        grace_(session.io),
        signals_(session.io, SIGINT, SIGTERM),
        random_(meta.seed ^ 0x5eedU) {
    progress_.total = static_cast<int64_t>(meta.calls.size());
    progress_.cells = static_cast<int64_t>(meta.cells.size());
    on_live_ = [this](const LiveEvent& event) { events_.live(event); };
  }

  RunResult run() {
    LoopLag lag(session_.io);
    telemetry_.emplace(RunTelemetry::Setup{session_, meta_, spec_, writer_, events_, epoch_,
                                           remaining_.telemetry_bytes});
    wait_for_signal();
    tick();
    const bool done = session_.wait_for(run_stages());
    lag.stop();
    // Handlers that are still queued refer to this object: they run now.
    telemetry_.reset();
    session_.io.restart();
    session_.io.poll();
    RunResult result;
    result.state = !error_.empty() ? "failed" : done ? "completed" : "interrupted";
    result.signal = signal_;
    result.error = error_;
    result.wall_s = static_cast<double>(mono_now_ns() - epoch_) / 1e9;
    result.loop_lag_p99_ms = lag.p99_ms();
    result.loop_lag_max_ms = lag.max_ms();
    result.in_flight_s = in_flight_.seconds();
    result.leg_counters = counters_.kept();
    result.progress = progress_;
    return result;
  }

 private:
  EngineKeeper::Hooks keeper_hooks() {
    EngineKeeper::Hooks hooks;
    hooks.note = note_;
    hooks.log = [this](const std::string& line) {
      [[maybe_unused]] const bool queued = writer_.log(line);
    };
    hooks.alert = [this](const std::string& what) { events_.alert("engine_died", what); };
    hooks.stopping = [this] { return stopping_; };
    return hooks;
  }

  [[nodiscard]] const Leg& leg_of(int64_t index) const {
    return meta_.legs[static_cast<size_t>(meta_.calls[static_cast<size_t>(index)].leg)];
  }

  Task<bool> run_stages() {
    const auto count = static_cast<int64_t>(meta_.calls.size());
    int64_t begin = 0;
    // The machine's power at rest is known from the time before the first call.
    if (remaining_.elapsed_ns == 0) co_await wait_until(mono_now_ns() + spec_.idle.count());
    while (begin < count && !stopping_) {
      const int64_t stage = meta_.calls[static_cast<size_t>(begin)].stage;
      int64_t end = begin;
      while (end < count && meta_.calls[static_cast<size_t>(end)].stage == stage) ++end;
      enter_cell(leg_of(begin).cell);
      std::set<int64_t> cells;
      for (int64_t index = begin; index < end; ++index) cells.insert(leg_of(index).cell);
      co_await keeper_.prepare(cells);
      co_await enter_restarts(begin, end);
      if (stopping_) break;
      std::set<int64_t> legs;
      for (int64_t i = begin; i < end; ++i) {
        legs.insert(meta_.calls[static_cast<size_t>(i)].leg);
      }
      co_await counters_.begin(meta_, std::move(legs));
      int64_t at = begin;
      const auto next = [this, &at, end]() -> int64_t {
        while (at < end && remaining_.done.contains(at)) ++at;
        return at < end && !stopping_ ? at++ : -1;
      };
      const auto issue = [this](int64_t index) { return issue_call(index); };
      if (leg_of(begin).request_rate) {
        co_await run_open(session_.io, due_times(begin, end), next, issue);
      } else {
        co_await run_closed(session_.io, leg_of(begin).concurrency, next, issue);
      }
      co_await counters_.end();
      begin = end;
    }
    ticker_.cancel();
    grace_.cancel();
    signals_.cancel();
    co_return !stopping_;
  }

  /// When each call of an open-loop stage is to be sent, from now on.
  std::vector<MonoNs> due_times(int64_t begin, int64_t end) {
    constexpr MonoNs kLead = 10'000'000;
    const Leg& leg = leg_of(begin);
    const auto schedule = arrival_times(end - begin, *leg.request_rate, leg.arrivals,
                                        meta_.seed + static_cast<uint64_t>(begin));
    std::vector<MonoNs> due;
    due_.clear();
    const MonoNs start = mono_now_ns() + kLead;
    int64_t index = begin;
    for (const int64_t offset : schedule) {
      due_[index] = start + offset;
      if (!remaining_.done.contains(index)) due.push_back(start + offset);
      ++index;
    }
    return due;
  }

  void enter_cell(int64_t cell) {
    if (cell == current_cell_) return;
    // Interleaved cells share the time of all of them.
    if (current_cell_ < 0 || !interleaved_) cell_started_ = mono_now_ns();
    current_cell_ = cell;
    progress_.cell = cell + 1;
    const Cell& c = meta_.cells[static_cast<size_t>(cell)];
    events_.cell_state(c, c.unavailable.empty() ? "running" : "skipped");
  }

  /// Loads the models of a stage's cells anew where the plan says so.
  Task<void> enter_restarts(int64_t begin, int64_t end) {
    std::set<int64_t> cells;
    for (int64_t index = begin; index < end; ++index) {
      if (stopping_ || !cells.insert(leg_of(index).cell).second) continue;
      co_await enter_restart(index);
    }
  }

  Task<void> enter_restart(int64_t index) {
    const int64_t cell = leg_of(index).cell;
    const int64_t restart = meta_.calls[static_cast<size_t>(index)].restart;
    const auto [loaded, is_first] = loads_.try_emplace(cell, restart);
    if (is_first || loaded->second == restart || stopped_cells_.contains(cell)) co_return;
    loaded->second = restart;
    note_(fmt::format("loading {} anew, {} of {}", meta_.cells[static_cast<size_t>(cell)].model,
                      restart + 1, spec_.restarts));
    const std::string failed = co_await keeper_.reload(cell);
    if (!failed.empty()) stop_cell(cell, failed);
    if (!interleaved_) cell_started_ = mono_now_ns();
  }

  /// What is left of a cell is skipped; the other cells go on.
  void stop_cell(int64_t cell, const std::string& why) {
    if (stopped_cells_.emplace(cell, why).second) note_(fmt::format("skipping the rest: {}", why));
  }

  [[nodiscard]] CallRecord record_for(int64_t index) const {
    CallRecord record = planned_record(meta_, index);
    record.resumed = remaining_.started.contains(index);
    return record;
  }

  /// Why a call is not to be sent, or empty.
  [[nodiscard]] std::string skip_reason(const Leg& leg) const {
    if (!leg.skip.empty()) return leg.skip;
    if (stopped_cells_.contains(leg.cell)) return stopped_cells_.at(leg.cell);
    const std::vector<DayWindow>& windows = meta_.cells[static_cast<size_t>(leg.cell)].windows;
    if (spec_.override_window.empty() && !in_windows(windows, wall_now_ns())) return "window";
    if (meta_.budget_s && leg.phase != Phase::kWarmup && leg.phase != Phase::kCold) {
      const int64_t parts = interleaved_ ? 1 : std::max<int64_t>(1, live_cells());
      const double share = *meta_.budget_s / static_cast<double>(parts);
      if (static_cast<double>(mono_now_ns() - cell_started_) / 1e9 > share) return "budget";
    }
    if (spec_.until_ci && legs_so_far_.narrow(index_of(leg), leg.calls, *spec_.until_ci / 100)) {
      return "until_ci";
    }
    return {};
  }

  [[nodiscard]] int64_t index_of(const Leg& leg) const { return &leg - meta_.legs.data(); }

  [[nodiscard]] int64_t live_cells() const {
    return std::count_if(meta_.cells.begin(), meta_.cells.end(),
                         [](const Cell& c) { return c.unavailable.empty(); });
  }

  Task<void> issue_call(int64_t index) {
    while (disk_.paused() && !stopping_) {
      co_await sleep_for(session_.io, std::chrono::milliseconds(100));
    }
    if (stopping_) co_return;
    const Leg& leg = leg_of(index);
    if (std::string reason = skip_reason(leg); !reason.empty()) {
      skip_call(index, reason, 1);
      co_return;
    }
    const LiveCell& live = session_.cells[static_cast<size_t>(leg.cell)];
    CallRecord cold;
    if (leg.phase == Phase::kCold) {
      const auto made =
          co_await make_cold(session_, static_cast<size_t>(leg.cell), epoch_, note_, cold);
      if (!made) {
        stop_cell(leg.cell, made.error().message);
        skip_call(index, made.error().message, 1);
        co_return;
      }
    }
    if (leg.phase == Phase::kWarm && !gates_.is_warm(live.cell, mono_now_ns())) {
      co_await warm_again(index);
    }
    co_await wait_until(gates_.reserve(live.cell, mono_now_ns()));
    if (stopping_) co_return;
    const bool not_warm = leg.phase == Phase::kWarm && !gates_.is_warm(live.cell, mono_now_ns());
    CallRequest request(live.cell.model, prompt_text(meta_, index), leg.settings);
    const Prompt& prompt = meta_.prompts[static_cast<size_t>(leg.prompt)];
    if (live.cell.tokens_per_word) request.expected_prompt_tokens = prompt.target_tokens;

    const auto before = remaining_.attempts.find(index);
    int64_t attempt = before != remaining_.attempts.end() ? before->second : 0;
    int64_t retries_left = spec_.retries;
    bool reloads = false;
    std::optional<int64_t> due;
    if (const auto planned = due_.find(index); planned != due_.end()) {
      due = planned->second - epoch_;
    }
    for (;;) {
      if (const std::string gone = co_await keeper_.ready(leg.cell); !gone.empty()) {
        stop_cell(leg.cell, gone);
        skip_call(index, gone, attempt + 1);
        co_return;
      }
      if (stopping_) co_return;
      CallResult result;
      result.record = record_for(index);
      result.record.attempt = ++attempt;
      add_cold_facts(cold, result.record);
      if (not_warm) result.record.flags.emplace_back("not_warm");
      request.tags = tags_of(result.record, meta_, spec_);
      result.record.at.due = due;
      sent_.mark(index);
      events_.call_started(meta_.calls[static_cast<size_t>(index)], index, attempt);
      CallWatch watch(session_.io, limits_of(spec_));
      in_flight_.add(index, watch);
      const OnLive live_sink(on_live_);
      const int64_t deaths = keeper_.deaths(leg.cell);
      // Held: where its process dies, another call may put a new one in its place.
      const std::shared_ptr<Engine> engine = live.engine;
      co_await call_engine(*engine, request, epoch_, watch, &live_sink, result);
      in_flight_.remove(index);
      co_await keeper_.explain_failure(leg.cell, deaths, result.record);
      finish_record(result.record);
      infer_prefix(prompt, result.record);
      name_backend(live.cell, result.record);
      if (result.record.outcome == Outcome::kOk) gates_.answered(live.cell, mono_now_ns());
      if (leg.phase == Phase::kCold && !interleaved_) cell_started_ = mono_now_ns();
      note_reads(session_, static_cast<size_t>(leg.cell), result.record);
      result.model_unloaded = result.model_unloaded && !std::exchange(reloads, true);
      co_await complete_counts(*engine, live.cell.model, result);
      due = result.record.at.due;

      // What our own stopping cut, or kept from its next attempt, is left to a resume.
      const bool unfinished = wants_another(result, retries_left);
      const bool again = unfinished && !stopping_;
      const bool cut = result.record.outcome == Outcome::kCancelled;
      result.record.final = !unfinished && !cut;
      if (result.record.http_status == 401 || result.record.http_status == 403) {
        stopped_cells_.emplace(leg.cell, fmt::format("http {}", *result.record.http_status));
      }
      const bool at_once = asks_again_at_once(result);
      const auto retry_after = result.retry_after;
      finish_call(std::move(result.record), std::move(result.text));
      if (!again) co_return;
      if (at_once) continue;
      --retries_left;
      co_await back_off(leg.cell, spec_.retries - retries_left, retry_after);
      if (stopping_) co_return;
    }
  }

  void skip_call(int64_t index, const std::string& reason, int64_t attempt) {
    CallRecord record = record_for(index);
    record.attempt = attempt;
    record.outcome = Outcome::kSkipped;
    record.error = "skipped: " + reason;
    finish_call(std::move(record), {});
  }

  /// A stop is heard on the way.
  Task<void> wait_until(MonoNs at) {
    while (!stopping_ && mono_now_ns() < at) {
      const Nanos left(at - mono_now_ns());
      co_await sleep_for(session_.io, std::min(left, Nanos(std::chrono::milliseconds(200))));
    }
  }

  /// A call that is in the ledger and in no figure, before a warm one whose model was left alone
  /// for too long.
  Task<void> warm_again(int64_t index) {
    const Leg& leg = leg_of(index);
    const LiveCell& live = session_.cells[static_cast<size_t>(leg.cell)];
    co_await wait_until(gates_.reserve(live.cell, mono_now_ns()));
    if (stopping_) co_return;
    CallResult result;
    result.record = record_for(index);
    result.record.phase = Phase::kWarmup;
    result.record.index = kUnplanned;
    result.record.run_idx = warmed_again_++;
    CallRequest request(live.cell.model, prompt_text(meta_, index), leg.settings);
    request.tags = tags_of(result.record, meta_, spec_);
    CallWatch watch(session_.io, limits_of(spec_));
    in_flight_.add(kUnplanned, watch);
    const std::shared_ptr<Engine> engine = live.engine;
    co_await call_engine(*engine, request, epoch_, watch, nullptr, result);
    in_flight_.remove(kUnplanned);
    finish_record(result.record);
    if (result.record.outcome == Outcome::kOk) gates_.answered(live.cell, mono_now_ns());
    require(writer_.record(std::move(result.record)));
  }

  /// Waits before the next attempt. One gate a cell.
  Task<void> back_off(int64_t cell, int64_t failures, std::optional<Nanos> asked) {
    const Nanos wait = retry_wait(failures, asked, random_.unit());
    MonoNs& gate = back_offs_[cell];
    gate = std::max(gate, mono_now_ns() + wait.count());
    while (!stopping_ && mono_now_ns() < gate) co_await wait_until(gate);
  }

  void finish_call(CallRecord record, std::string text) {
    if (record.final) {
      legs_so_far_.add(record);
      progress_.add(record);
    }
    events_.call_done(record);
    events_.progress(progress_);
    if (!text.empty() && keeps_text(record, spec_)) {
      ResponseText response;
      response.index = record.index;
      response.attempt = record.attempt;
      response.text = std::move(text);
      require(writer_.response(std::move(response)));
    }
    last_ = record;
    last_.tokens.clear();
    require(writer_.record(std::move(record)));
  }

  void require(bool queued) {
    if (queued || !error_.empty()) return;
    error_ = "the disk does not keep up: the queue of records is full";
    stop_now();
  }

  void wait_for_signal() {
    signals_.async_wait([this](const boost::system::error_code& error, int signal) {
      if (error) return;
      signal_ = signal;
      if (!stopping_) {
        stopping_ = true;
        note_(
            fmt::format("Stopping after the calls in flight ({} again to drop them). {} results "
                        "are saved.",
                        signal == SIGINT ? "Ctrl-C" : "SIGTERM", progress_.done));
        grace_.expires_after(spec_.grace);
        grace_.async_wait([this](const boost::system::error_code& cancelled) {
          if (!cancelled) stop_now();
        });
      } else {
        stop_now();
      }
      wait_for_signal();
    });
  }

  void stop_now() {
    stopping_ = true;
    in_flight_.cancel_all();
  }

  /// Four times a second: the progress line, the engines' logs, a disk that may work again.
  void tick() {
    ticker_.expires_after(std::chrono::milliseconds(250));
    ticker_.async_wait([this](const boost::system::error_code& error) {
      if (error) return;
      keeper_.drain();
      disk_.tick();
      if (telemetry_) telemetry_->watch(session_.started);
      estimate_end();
      on_progress_(progress_, last_.run_id.empty() ? nullptr : &last_);
      tick();
    });
  }

  void estimate_end() {
    const int64_t here = progress_.done - remaining_.progress.done;
    if (here < 2) return;
    const double elapsed =
        static_cast<double>(mono_now_ns() - epoch_ - remaining_.elapsed_ns) / 1e9;
    progress_.eta_s =
        elapsed / static_cast<double>(here) * static_cast<double>(progress_.total - progress_.done);
  }

  Session& session_;
  const RunMeta& meta_;
  const RunSpec& spec_;
  const Remaining& remaining_;
  RunWriter& writer_;
  SentCalls& sent_;
  LiveEvents& events_;
  const OnProgress& on_progress_;
  const OnNote& note_;
  DiskPause disk_;
  EngineKeeper keeper_;
  const MonoNs epoch_;
  LiveEvents::Progress progress_;
  asio::steady_timer ticker_;
  asio::steady_timer grace_;
  asio::signal_set signals_;
  SplitMix64 random_;
  std::function<void(const LiveEvent&)> on_live_;
  std::optional<RunTelemetry> telemetry_;  ///< While run() runs.
  InFlight in_flight_;
  std::map<int64_t, MonoNs> back_offs_;
  CallGates gates_;
  StageCounters counters_{session_};
  int64_t warmed_again_ = remaining_.unplanned;
  LegsSoFar legs_so_far_;
  std::map<int64_t, std::string> stopped_cells_;
  std::map<int64_t, int64_t> loads_;  ///< By cell: the restart whose model is loaded.
  CallRecord last_;
  std::map<int64_t, MonoNs> due_;  ///< Of the current open-loop stage.
  const bool interleaved_ = std::any_of(meta_.cells.begin(), meta_.cells.end(),
                                        [](const Cell& cell) { return !cell.variant.empty(); });
  int64_t current_cell_ = -1;
  MonoNs cell_started_ = 0;
  bool stopping_ = false;
  int signal_ = 0;
  std::string error_;
};

}  // namespace

RunResult run_plan(Session& session, const RunMeta& meta, const RunSpec& spec,
                   const Remaining& remaining, RunWriter& writer, SentCalls& sent,
                   DiskTrouble& disk, LiveEvents& events, const OnProgress& on_progress,
                   const OnNote& note) {
  Runner runner(session, meta, spec, remaining, writer, sent, disk, events, on_progress, note);
  return runner.run();
}

}  // namespace assay
