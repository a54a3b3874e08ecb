#include "run/call_issuer.h"

#include <fmt/format.h>

#include <algorithm>
#include <memory>
#include <utility>

#include "net/sleep.h"
#include "run/cold_start.h"
#include "run/complete_record.h"
#include "run/estimate.h"
#include "run/planned_call.h"
#include "run/retry_rule.h"
#include "stats/derive.h"

namespace assay {
namespace {

constexpr int64_t kUnplanned = -1;  ///< Index of calls beside the plan.

}  // namespace

CallIssuer::CallIssuer(const ActiveRun& run, const Around& around)
    : run_(run),
      around_(around),
      random_(run.meta.seed ^ 0x5eedU),
      unplanned_(run.remaining.unplanned) {
  on_live_ = [this](const LiveEvent& event) { run_.events.live(event); };
}

CallRecord CallIssuer::record_for(int64_t index) const {
  CallRecord record = planned_record(run_.meta, index);
  record.resumed = run_.remaining.started.contains(index);
  return record;
}

void CallIssuer::skip(int64_t index, const std::string& reason, int64_t attempt) {
  CallRecord record = record_for(index);
  record.attempt = attempt;
  around_.records.add_skipped(std::move(record), reason);
}

Task<void> CallIssuer::issue(int64_t index) {
  while (around_.disk.paused() && !around_.stop.asked()) {
    co_await sleep_for(run_.session.io, std::chrono::milliseconds(100));
  }
  if (around_.stop.asked()) co_return;
  const Leg& leg = run_.leg_of(index);
  if (std::string reason = around_.course.skip_reason(leg, around_.records.legs());
      !reason.empty()) {
    skip(index, reason, 1);
    // What is left of a long leg is many skips: others' tokens are read meanwhile, and the writer
    // keeps up.
    constexpr int64_t kSkipsAtOnce = 128;
    if (++skips_ % kSkipsAtOnce == 0) {
      co_await sleep_for(run_.session.io, std::chrono::milliseconds(5));
    }
    co_return;
  }
  const Cell& cell = run_.live(leg.cell).cell;
  CallRequest request(cell.model, prompt_text(run_.meta, index), leg.settings);
  const Prompt& prompt = run_.meta.prompts[static_cast<size_t>(leg.prompt)];
  if (cell.tokens_per_word) request.expected_prompt_tokens = prompt.target_tokens;
  Pending call{index, std::move(request), {}, {}};
  call.retries_left = run_.spec.retries;
  const auto& attempts = run_.remaining.attempts;
  if (const auto before = attempts.find(index); before != attempts.end()) {
    call.attempt = before->second;
  }
  if (!co_await make_ready(call)) co_return;
  call.due = due_.of(index, run_.epoch);
  while (co_await attempt(call)) {
  }
}

Task<bool> CallIssuer::make_ready(Pending& call) {
  const Leg& leg = run_.leg_of(call.index);
  const Cell& cell = run_.live(leg.cell).cell;
  call.not_cooled = !co_await around_.cooling.pass(leg.cell);
  if (around_.stop.asked()) co_return false;
  if (leg.phase == Phase::kCold) {
    const auto made = co_await make_cold(run_.session, static_cast<size_t>(leg.cell), run_.epoch,
                                         call.cold, call.reads);
    if (!made && made.error().code == Errc::kCancelled) co_return false;  // Left to a resume.
    if (!made) {
      // A model that is not there any more is missing to the calls after this one as well.
      if (call.cold.at.unload_end) around_.course.give_up(leg.cell, made.error().message);
      skip(call.index, made.error().message, 1);
      co_return false;
    }
  }
  if (leg.phase == Phase::kWarm && !gates_.is_warm(cell, mono_now_ns())) {
    co_await warm_again(call.index);
  }
  co_await around_.stop.wait_until(gates_.reserve(cell, mono_now_ns()));
  if (around_.stop.asked()) co_return false;
  call.not_warm = leg.phase == Phase::kWarm && !gates_.is_warm(cell, mono_now_ns());
  co_return true;
}

Task<bool> CallIssuer::attempt(Pending& call) {
  const Leg& leg = run_.leg_of(call.index);
  const LiveCell& live = run_.live(leg.cell);
  if (const std::string gone = co_await around_.keeper.ready(leg.cell); !gone.empty()) {
    around_.course.give_up(leg.cell, gone);
    skip(call.index, gone, call.attempt + 1);
    co_return false;
  }
  if (around_.stop.asked()) co_return false;
  CallResult result;
  CallRecord& record = result.record;
  record = record_for(call.index);
  record.attempt = ++call.attempt;
  add_cold_facts(call.cold, record);
  if (call.not_warm) record.flags.emplace_back("not_warm");
  if (call.not_cooled) record.flags.emplace_back("not_cooled");
  call.request.tags = tags_of(record, run_.meta, run_.spec);
  record.at.due = call.due;
  run_.sent.mark(call.index);
  run_.events.call_started(run_.meta.calls[static_cast<size_t>(call.index)], call.index,
                           call.attempt);
  CallWatch watch(run_.session.io, limits_of(run_.spec));
  around_.in_flight.add(call.index, watch);
  const OnLive live_sink(on_live_);
  const int64_t deaths = around_.keeper.deaths(leg.cell);
  // Held: where its process dies, another call may put a new one in its place.
  const std::shared_ptr<Engine> engine = live.engine;
  co_await call_engine(*engine, call.request, run_.epoch, watch, &live_sink, result);
  around_.in_flight.remove(call.index);
  co_await around_.keeper.explain_failure(leg.cell, deaths, record);
  finish_record(record);
  infer_prefix(run_.meta.prompts[static_cast<size_t>(leg.prompt)], record);
  name_backend(live.cell, record);
  if (record.outcome == Outcome::kOk) gates_.answered(live.cell, mono_now_ns());
  if (leg.phase == Phase::kCold) around_.course.restart_clock();
  note_reads(run_.session, static_cast<size_t>(leg.cell), call.reads, record);
  result.model_unloaded = result.model_unloaded && !std::exchange(call.was_unloaded, true);
  co_await complete_counts(*engine, live.cell.model, result);
  around_.cooling.ended(record);
  call.due = record.at.due;

  // What our own stopping cut, or kept from its next attempt, is left to a resume.
  const bool unfinished = wants_another(result, call.retries_left);
  const bool again = unfinished && !around_.stop.asked();
  record.final = !unfinished && record.outcome != Outcome::kCancelled;
  if (record.http_status == 401 || record.http_status == 403) {
    around_.course.give_up(leg.cell, fmt::format("http {}", *record.http_status));
  }
  const bool at_once = asks_again_at_once(result);
  // The time of a load is no figure of a leg whose model is there.
  const bool unloaded = result.model_unloaded;
  const bool load_first = unloaded && leg.phase != Phase::kCold;
  const auto retry_after = result.retry_after;
  const bool answered = record.outcome == Outcome::kOk;
  around_.records.add(std::move(record), std::move(result.text));
  if (answered) co_await around_.loads.answered(leg.cell);
  if (!again) co_return false;
  if (unloaded) around_.keeper.forget_load(leg.cell);
  if (load_first) {
    const std::string failed = co_await around_.keeper.ready(leg.cell);
    call.not_warm = !failed.empty() || !co_await warm_again(call.index);
  }
  if (!at_once) {
    --call.retries_left;
    co_await back_off(leg.cell, run_.spec.retries - call.retries_left, retry_after);
  }
  co_return !around_.stop.asked();
}

Task<bool> CallIssuer::warm_again(int64_t index) {
  const Leg& leg = run_.leg_of(index);
  const LiveCell& live = run_.live(leg.cell);
  co_await around_.stop.wait_until(gates_.reserve(live.cell, mono_now_ns()));
  if (around_.stop.asked()) co_return false;
  CallResult result;
  result.record = record_for(index);
  result.record.phase = Phase::kWarmup;
  result.record.index = kUnplanned;
  result.record.run_idx = unplanned_++;
  CallRequest request(live.cell.model, warming_text(run_.meta, index, result.record.run_idx),
                      leg.settings);
  request.tags = tags_of(result.record, run_.meta, run_.spec);
  CallWatch watch(run_.session.io, limits_of(run_.spec));
  const int64_t key = kUnplanned - result.record.run_idx;
  around_.in_flight.add(key, watch);
  const std::shared_ptr<Engine> engine = live.engine;
  co_await call_engine(*engine, request, run_.epoch, watch, nullptr, result);
  around_.in_flight.remove(key);
  finish_record(result.record);
  const bool answered = result.record.outcome == Outcome::kOk;
  if (answered) gates_.answered(live.cell, mono_now_ns());
  around_.records.add_unplanned(std::move(result.record));
  co_return answered;
}

/// Waits before the next attempt. One gate a cell.
Task<void> CallIssuer::back_off(int64_t cell, int64_t failures, std::optional<Nanos> asked) {
  const Nanos wait = retry_wait(failures, asked, random_.unit());
  MonoNs& gate = back_offs_[cell];
  gate = std::max(gate, mono_now_ns() + wait.count());
  while (!around_.stop.asked() && mono_now_ns() < gate) co_await around_.stop.wait_until(gate);
}

}  // namespace assay
