#include "run/runner.h"

#include <fmt/format.h>

#include <algorithm>
#include <boost/asio/as_tuple.hpp>
#include <boost/asio/post.hpp>
#include <boost/asio/signal_set.hpp>
#include <boost/asio/steady_timer.hpp>
#include <boost/asio/use_awaitable.hpp>
#include <csignal>

#include "base/random.h"
#include "base/text.h"
#include "engines/call.h"
#include "load/arrivals.h"
#include "load/load.h"
#include "run/call_gates.h"
#include "run/complete_record.h"
#include "run/estimate.h"
#include "run/legs_so_far.h"
#include "run/planned_call.h"
#include "run/retry_rule.h"
#include "run/synthetic.h"
#include "run/wait_for.h"
#include "stats/derive.h"

namespace assay {
namespace {

namespace asio = boost::asio;

constexpr auto kAwait = asio::as_tuple(asio::use_awaitable);

/// Index of calls beside the plan.
constexpr int64_t kUnplanned = -1;

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
        disk_(disk),
        events_(events),
        on_progress_(on_progress),
        note_(note),
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
    std::optional<HostSampler> sampler;
    sampler.emplace([this](const HostSample& sample) {
      asio::post(session_.io, [this, sample] {
        events_.telemetry(sample, static_cast<double>(mono_now_ns() - epoch_) / 1e9);
      });
    });
    wait_for_signal();
    tick();
    const bool done = session_.wait_for(run_stages());
    lag.stop();
    // Handlers that are still queued refer to this object: they run now.
    sampler.reset();
    session_.io.restart();
    session_.io.poll();
    RunResult result;
    result.state = !error_.empty() ? "failed" : done ? "completed" : "interrupted";
    result.signal = signal_;
    result.error = error_;
    result.wall_s = static_cast<double>(mono_now_ns() - epoch_) / 1e9;
    result.loop_lag_p99_ms = lag.p99_ms();
    result.loop_lag_max_ms = lag.max_ms();
    result.in_flight_s = static_cast<double>(in_flight_ns_) / 1e9;
    result.progress = progress_;
    return result;
  }

 private:
  [[nodiscard]] const Leg& leg_of(int64_t index) const {
    return meta_.legs[static_cast<size_t>(meta_.calls[static_cast<size_t>(index)].leg)];
  }

  Task<bool> run_stages() {
    const auto count = static_cast<int64_t>(meta_.calls.size());
    int64_t begin = 0;
    while (begin < count && !stopping_) {
      const int64_t stage = meta_.calls[static_cast<size_t>(begin)].stage;
      int64_t end = begin;
      while (end < count && meta_.calls[static_cast<size_t>(end)].stage == stage) ++end;
      enter_cell(leg_of(begin).cell);
      if (!co_await enter_restarts(begin, end)) break;
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

  /// The same for all cells of a stage.
  Task<bool> enter_restarts(int64_t begin, int64_t end) {
    std::set<int64_t> cells;
    for (int64_t index = begin; index < end; ++index) {
      if (!cells.insert(leg_of(index).cell).second) continue;
      if (!co_await enter_restart(index)) co_return false;
    }
    co_return true;
  }

  /// Loads the cell's model anew where the plan says so. False when that failed.
  Task<bool> enter_restart(int64_t index) {
    const int64_t cell = leg_of(index).cell;
    const int64_t restart = meta_.calls[static_cast<size_t>(index)].restart;
    const auto [loaded, is_first] = loads_.try_emplace(cell, restart);
    if (is_first || loaded->second == restart) co_return true;
    loaded->second = restart;
    note_(fmt::format("loading {} anew, {} of {}", meta_.cells[static_cast<size_t>(cell)].model,
                      restart + 1, spec_.restarts));
    const auto done = co_await reload_cell(session_, static_cast<size_t>(cell));
    if (!done) {
      error_ = done.error().message;
      stopping_ = true;
    }
    if (!interleaved_) cell_started_ = mono_now_ns();
    co_return done.has_value();
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
    if (meta_.budget_s && leg.phase != Phase::kWarmup) {
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
    while (paused_ && !stopping_) co_await sleep(std::chrono::milliseconds(100));
    if (stopping_) co_return;
    const Leg& leg = leg_of(index);
    if (std::string reason = skip_reason(leg); !reason.empty()) {
      CallRecord record = record_for(index);
      record.outcome = Outcome::kSkipped;
      record.error = "skipped: " + reason;
      finish_call(std::move(record), {});
      co_return;
    }
    const LiveCell& live = session_.cells[static_cast<size_t>(leg.cell)];
    std::optional<std::string> cold_kind;
    if (leg.phase == Phase::kCold) cold_kind = co_await make_cold(live);
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
    std::optional<int64_t> due;
    if (const auto planned = due_.find(index); planned != due_.end()) {
      due = planned->second - epoch_;
    }
    for (;;) {
      CallResult result;
      result.record = record_for(index);
      result.record.attempt = ++attempt;
      result.record.cold_kind = cold_kind;
      if (not_warm) result.record.flags.emplace_back("not_warm");
      request.tags = tags_of(result.record, meta_, spec_);
      result.record.at.due = due;
      sent_.mark(index);
      events_.call_started(meta_.calls[static_cast<size_t>(index)], index, attempt);
      CallWatch watch(session_.io, limits_of(spec_));
      count_in_flight();
      in_flight_.emplace(index, &watch);
      const OnLive live_sink(on_live_);
      co_await call_engine(*live.engine, request, epoch_, watch, &live_sink, result);
      count_in_flight();
      in_flight_.erase(index);
      finish_record(result.record);
      infer_prefix(prompt, result.record);
      name_backend(live.cell, result.record);
      if (result.record.outcome == Outcome::kOk) gates_.answered(live.cell, mono_now_ns());
      co_await complete_counts(*live.engine, live.cell.model, result);
      due = result.record.at.due;

      // What our own stopping cut, or kept from its next attempt, is left to a resume.
      const bool unfinished = wants_another(result, retries_left);
      const bool again = unfinished && !stopping_;
      const bool cut = result.record.outcome == Outcome::kCancelled;
      result.record.final = !unfinished && !cut;
      if (result.record.http_status == 401 || result.record.http_status == 403) {
        stopped_cells_.emplace(leg.cell, fmt::format("http {}", *result.record.http_status));
      }
      const bool refused = result.refused_member;
      const auto retry_after = result.retry_after;
      finish_call(std::move(result.record), std::move(result.text));
      if (!again) co_return;
      if (refused) continue;
      --retries_left;
      co_await back_off(leg.cell, spec_.retries - retries_left, retry_after);
      if (stopping_) co_return;
    }
  }

  /// Adds the time since the last change of what is in flight: an account of our own, to hold
  /// against what the records say.
  void count_in_flight() {
    const MonoNs now = mono_now_ns();
    in_flight_ns_ += static_cast<int64_t>(in_flight_.size()) * (now - in_flight_since_);
    in_flight_since_ = now;
  }

  /// A stop is heard on the way.
  Task<void> wait_until(MonoNs at) {
    while (!stopping_ && mono_now_ns() < at) {
      const Nanos left(at - mono_now_ns());
      co_await sleep(std::min(left, Nanos(std::chrono::milliseconds(200))));
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
    count_in_flight();
    in_flight_.emplace(kUnplanned, &watch);
    co_await call_engine(*live.engine, request, epoch_, watch, nullptr, result);
    count_in_flight();
    in_flight_.erase(kUnplanned);
    finish_record(result.record);
    if (result.record.outcome == Outcome::kOk) gates_.answered(live.cell, mono_now_ns());
    require(writer_.record(std::move(result.record)));
  }

  Task<std::string> make_cold(const LiveCell& live) {
    if (live.cell.cold_kind == "process_warm") co_return live.cell.cold_kind;
    const auto kind = co_await live.engine->make_cold(live.cell.model);
    if (!kind) {
      note_(fmt::format("{}: cannot be made cold: {}", printable(live.cell.id, 80),
                        kind.error().message));
      co_return std::string("process_warm");
    }
    // Source 004: unloading is asked for, then given two seconds.
    if (*kind == "unload") co_await sleep(std::chrono::seconds(2));
    co_return *kind;
  }

  /// Waits before the next attempt. One gate a cell.
  Task<void> back_off(int64_t cell, int64_t failures, std::optional<Nanos> asked) {
    const Nanos wait = retry_wait(failures, asked, random_.unit());
    MonoNs& gate = back_offs_[cell];
    gate = std::max(gate, mono_now_ns() + wait.count());
    while (!stopping_ && mono_now_ns() < gate) co_await wait_until(gate);
  }

  Task<void> sleep(Nanos duration) {
    asio::steady_timer timer(session_.io, duration);
    co_await timer.async_wait(kAwait);
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
    for (const auto& [index, watch] : in_flight_) watch->cancel();
  }

  /// Four times a second: the progress line, the engines' logs, a disk that may work again.
  void tick() {
    ticker_.expires_after(std::chrono::milliseconds(250));
    ticker_.async_wait([this](const boost::system::error_code& error) {
      if (error) return;
      for (BundledEngine& engine : session_.started) {
        if (engine.child) engine.child->drain_log();
      }
      watch_disk();
      estimate_end();
      on_progress_(progress_, last_.run_id.empty() ? nullptr : &last_);
      tick();
    });
  }

  /// While the disk refuses, no call is issued and once a second it is tried again.
  void watch_disk() {
    if (const auto trouble = disk_.take()) {
      if (!paused_) {
        note_(fmt::format("paused: {}", trouble->message));
        events_.alert("paused", trouble->message);
      }
      paused_ = true;
      pause_ticks_ = 0;
    } else if (paused_ && ++pause_ticks_ % 4 == 0) {
      if (retried_) {
        paused_ = retried_ = false;  // The retry before brought no new trouble.
        note_("the disk works again: going on");
      } else {
        writer_.retry();
        retried_ = true;
      }
      return;
    }
    if (paused_ && pause_ticks_ == 0) retried_ = false;
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
  DiskTrouble& disk_;
  LiveEvents& events_;
  const OnProgress& on_progress_;
  const OnNote& note_;
  const MonoNs epoch_;
  LiveEvents::Progress progress_;
  asio::steady_timer ticker_;
  asio::steady_timer grace_;
  asio::signal_set signals_;
  SplitMix64 random_;
  std::function<void(const LiveEvent&)> on_live_;
  std::map<int64_t, CallWatch*> in_flight_;
  std::map<int64_t, MonoNs> back_offs_;
  CallGates gates_;
  int64_t warmed_again_ = remaining_.unplanned;
  LegsSoFar legs_so_far_;
  std::map<int64_t, std::string> stopped_cells_;
  std::map<int64_t, int64_t> loads_;  ///< By cell: the restart whose model is loaded.
  CallRecord last_;
  std::map<int64_t, MonoNs> due_;  ///< Of the current open-loop stage.
  const bool interleaved_ = std::any_of(meta_.cells.begin(), meta_.cells.end(),
                                        [](const Cell& cell) { return !cell.variant.empty(); });
  int64_t in_flight_ns_ = 0;
  MonoNs in_flight_since_ = 0;
  int64_t current_cell_ = -1;
  MonoNs cell_started_ = 0;
  bool stopping_ = false;
  bool paused_ = false;
  bool retried_ = false;
  int64_t pause_ticks_ = 0;
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
