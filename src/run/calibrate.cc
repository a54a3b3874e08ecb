#include "run/calibrate.h"

#include <fmt/format.h>

#include <algorithm>

#include "base/clock.h"
#include "engines/call.h"
#include "engines/openai.h"
#include "load/load.h"
#include "mock/mock_server.h"
#include "mock/sent_time.h"
#include "run/instrument_cache.h"
#include "run/wait_for.h"
#include "stats/derive.h"
#include "stats/percentiles.h"

namespace assay {
namespace {

/// The engine under test, noting when each event was sent.
class TimedEngine final : public OpenAiEngine {
 public:
  using OpenAiEngine::OpenAiEngine;
  bool decode(std::string_view payload, Delta& delta, size_t& error_at) override {
    last_sent = sent_time(payload).value_or(0);
    return OpenAiEngine::decode(payload, delta, error_at);
  }
  MonoNs last_sent = 0;
};

/// A closed loop of calls to the simulated engine.
class Rehearsal {
 public:
  Rehearsal(Session& session, const Url& url, int64_t tokens)
      : session_(session), http_(session.io), engine_(http_, url, Secret()), tokens_(tokens) {}

  /// Each worker begins new calls until `until`, and makes one at least.
  Task<bool> run(int64_t concurrency, MonoNs until) {
    int64_t index = 0;
    const auto next = [&index, concurrency, until]() -> int64_t {
      return index < concurrency || mono_now_ns() < until ? index++ : -1;
    };
    const auto issue = [this](int64_t call) { return ask(call); };
    co_await run_closed(session_.io, concurrency, next, issue);
    co_return true;
  }

  std::vector<double> bias_ms;  ///< Stamp minus true send time, of every event.
  int64_t events = 0;
  std::string failure;  ///< Of the first call that failed.

 private:
  Task<void> ask(int64_t index) {
    CallSettings settings;
    settings.max_tokens = tokens_;
    settings.fixed_length = true;
    CallRequest request("mock", "Count.", settings);
    request.want_stamps = true;
    CallResult result;
    result.record.index = index;
    Limits limits;
    limits.total = kMaxCalibration;
    CallWatch watch(session_.io, limits);
    std::vector<MonoNs> sent;
    const auto on_live = [this, &sent](const LiveEvent& event) {
      if (event.kind == LiveEvent::Kind::kText) sent.push_back(engine_.last_sent);
    };
    const OnLive live(on_live);
    const MonoNs epoch = mono_now_ns();
    co_await call_engine(engine_, request, epoch, watch, &live, result);
    take(result.record, epoch, sent);
  }

  void take(const CallRecord& record, MonoNs epoch, const std::vector<MonoNs>& sent) {
    events += record.text_events;
    if (record.outcome != Outcome::kOk) {
      if (failure.empty()) failure = record.error.value_or("a call failed");
      return;
    }
    const auto stamped = derive::text_events(record.tokens);
    if (!stamped || stamped->size() != sent.size()) return;
    for (size_t i = 0; i < sent.size(); ++i) {
      const MonoNs stamp = epoch + *record.at.sent + (*stamped)[i].at_us * 1000;
      bias_ms.push_back(static_cast<double>(stamp - sent[i]) / 1e6);
    }
  }

  Session& session_;
  HttpClient http_;
  TimedEngine engine_;
  int64_t tokens_;
};

Result<std::unique_ptr<MockServer>> start_mock(Nanos ttft, Nanos gap) {
  MockOptions options;
  options.ttft = ttft;
  options.gap = gap;
  return MockServer::start(options);
}

}  // namespace

Result<Calibration> calibrate(Session& session, int64_t concurrency) {
  constexpr auto kSteadyTtft = std::chrono::milliseconds(20);
  constexpr auto kSteadyGap = std::chrono::milliseconds(5);
  constexpr int64_t kSteadyTokens = 60;
  constexpr int64_t kFastTokens = 200;
  constexpr int64_t kFastNs = 500'000'000;
  Calibration found;
  found.concurrency = concurrency;
  {
    const auto mock = start_mock(kSteadyTtft, kSteadyGap);
    if (!mock) return fail(mock.error());
    const auto url = parse_url((*mock)->base_url());
    if (!url) return fail(url.error());
    Rehearsal steady(session, *url, kSteadyTokens);
    session.wait_for(steady.run(concurrency, 0));
    if (!steady.failure.empty()) return fail(Errc::kProtocol, steady.failure);
    std::sort(steady.bias_ms.begin(), steady.bias_ms.end());
    found.bias_p50_ms = percentile(steady.bias_ms, 0.5).value_or(0);
    found.bias_p99_ms = percentile(steady.bias_ms, 0.99).value_or(0);
  }
  const auto mock = start_mock(Nanos(0), Nanos(0));
  if (!mock) return fail(mock.error());
  const auto url = parse_url((*mock)->base_url());
  if (!url) return fail(url.error());
  Rehearsal fast(session, *url, kFastTokens);
  const MonoNs began = mono_now_ns();
  session.wait_for(fast.run(concurrency, began + kFastNs));
  if (!fast.failure.empty()) return fail(Errc::kProtocol, fast.failure);
  const double seconds = static_cast<double>(mono_now_ns() - began) / 1e9;
  found.events_per_sec = static_cast<double>(fast.events) / seconds;
  found.measured_at_utc = utc_text(wall_now_ns());
  return found;
}

Result<Calibration> cached_calibration(Session& session, int64_t concurrency, const OnNote& note) {
  const std::string key = instrument_key({"calibration", std::to_string(concurrency)});
  if (auto known = load_instrument(key, kCalibrationAge); known && known->calibration) {
    return *known->calibration;
  }
  note("calibrating the client against the simulated engine");
  auto found = calibrate(session, concurrency);
  if (!found) return fail(found.error());
  Instrument instrument;
  instrument.calibration = *found;
  keep_instrument(key, instrument);
  return found;
}

}  // namespace assay
