#include <boost/asio/co_spawn.hpp>
#include <boost/asio/io_context.hpp>
#include <charconv>
#include <map>
#include <optional>

#include "bench_support.h"
#include "engines/call.h"
#include "engines/openai.h"
#include "load/load.h"
#include "model/json.h"
#include "net/http_client.h"
#include "net/url.h"
#include "stats/derive.h"

// Reads N streams through the product's own path, from the closed loop to the record's line, and
// prints what an event costs, what a stream holds and, with --truth, how far the record is from
// what the mock really sent.

namespace {

using namespace assay;
using bench::MemoryUse;

/// One text-bearing event, as the mock and this process saw it.
struct Seen {
  MonoNs sent;     // By the mock.
  MonoNs decoded;  // By us; no earlier than the read.
};

/// The engine under test, with a look at what passes through it.
class WatchedEngine final : public OpenAiEngine {
 public:
  WatchedEngine(HttpClient& http, Url url, int64_t sample_at, bool truth)
      : OpenAiEngine(http, std::move(url), Secret()), sample_at_(sample_at), truth_(truth) {}

  bool decode(std::string_view payload, Delta& delta, size_t& error_at) override {
    if (++events_ == sample_at_) halfway = MemoryUse::now();
    if (truth_) last = Seen{sent_ns(payload), mono_now_ns()};
    return OpenAiEngine::decode(payload, delta, error_at);
  }

  Seen last{};
  MemoryUse halfway;  ///< When half of the first answers' events had come.

 private:
  static MonoNs sent_ns(std::string_view payload) {
    constexpr std::string_view kKey = "\"assay_sent_ns\":";
    const size_t at = payload.find(kKey);
    if (at == std::string_view::npos) return 0;
    payload.remove_prefix(at + kKey.size());
    payload.remove_prefix(std::min(payload.find_first_not_of(' '), payload.size()));
    MonoNs value = 0;
    std::from_chars(payload.data(), payload.data() + payload.size(), value);
    return value;
  }

  int64_t events_ = 0;
  const int64_t sample_at_;
  const bool truth_;
};

/// Distances between the records and the truth, in microseconds.
struct Truth {
  std::map<int64_t, std::vector<Seen>> in_flight;
  std::vector<double> stamp_us;      // Stamp minus true send.
  std::vector<double> read_us;       // Read (and decoded) minus stamp.
  std::vector<double> ttft_us;       // By the record.
  std::vector<double> true_ttft_us;  // By the mock.
  std::vector<double> ttft_error_us;

  /// False when the record does not hold the events that were seen.
  bool add(const CallRecord& record, MonoNs epoch) {
    const std::vector<Seen> seen = std::move(in_flight[record.index]);
    in_flight.erase(record.index);
    const auto events = derive::text_events(record.tokens);
    if (!events || events->size() != seen.size() || seen.empty() || !record.at.first_text) {
      return false;
    }
    const MonoNs sent = epoch + *record.at.sent;
    for (size_t i = 0; i < seen.size(); ++i) {
      const MonoNs stamp = sent + (*events)[i].at_us * 1000;
      stamp_us.push_back(static_cast<double>(stamp - seen[i].sent) / 1e3);
      read_us.push_back(static_cast<double>(seen[i].decoded - stamp) / 1e3);
    }
    ttft_us.push_back(static_cast<double>(*record.at.first_text - *record.at.sent) / 1e3);
    true_ttft_us.push_back(static_cast<double>(seen.front().sent - sent) / 1e3);
    ttft_error_us.push_back(ttft_us.back() - true_ttft_us.back());
    return true;
  }
};

struct Totals {
  int64_t events = 0;
  int64_t text_events = 0;
  int64_t reads = 0;
  int64_t failed = 0;
  int64_t unmatched = 0;
  int64_t client_coalesced = 0;
  size_t line_bytes = 0;
  std::string first_error;
};

class Bench {
 public:
  Bench(const bench::LoadOptions& options, const Url& url, bool truth)
      : options_(options),
        truth_wanted_(truth),
        engine_(http_, url, options.streams * options.tokens / 2, truth) {}

  int run() {
    const MemoryUse before = MemoryUse::now();
    const auto cpu_before = bench::CpuTimes::now();
    const MonoNs began = mono_now_ns();
    std::exception_ptr thrown;
    boost::asio::co_spawn(io_, load(), [&](std::exception_ptr failure) { thrown = failure; });
    io_.run();
    if (thrown) std::rethrow_exception(thrown);
    const auto cpu_after = bench::CpuTimes::now();
    const auto wall_ns = static_cast<double>(mono_now_ns() - began);
    print(before, cpu_before, cpu_after, wall_ns);
    if (totals_.failed == 0) return 0;
    fmt::print(stderr, "{} calls failed, the first with: {}\n", totals_.failed,
               totals_.first_error);
    return 1;
  }

 private:
  Task<void> load() {
    const auto next = [this]() -> int64_t { return next_ < options_.all_calls() ? next_++ : -1; };
    const auto issue = [this](int64_t index) { return call(index); };
    co_await run_closed(io_, options_.streams, next, issue);
  }

  Task<void> call(int64_t index) {
    CallSettings settings;
    settings.max_tokens = options_.tokens;
    settings.fixed_length = true;
    CallRequest request("mock", "Count.", settings);
    request.want_stamps = truth_wanted_;
    CallResult result;
    result.record.index = index;
    CallWatch watch(io_, Limits());
    const auto on_live = [this](const LiveEvent& event) {
      if (event.kind == LiveEvent::Kind::kText) {
        truth_.in_flight[event.index].push_back(engine_.last);
      }
    };
    const OnLive live(on_live);
    co_await call_engine(engine_, request, epoch_, watch, truth_wanted_ ? &live : nullptr, result);
    finish_record(result.record);
    totals_.line_bytes += call_line(result.record).size();
    add(std::move(result.record));
  }

  void add(CallRecord&& record) {
    totals_.events += record.events;
    totals_.text_events += record.text_events;
    totals_.reads += record.reads;
    totals_.client_coalesced += record.client_coalesced;
    if (record.outcome != Outcome::kOk) {
      if (totals_.failed++ == 0) totals_.first_error = record.error.value_or("no error");
    } else if (truth_wanted_) {
      answered_.push_back(std::move(record));
    }
  }

  void print(const MemoryUse& before, const bench::CpuTimes& cpu_before,
             const bench::CpuTimes& cpu_after, double wall_ns) {
    const auto events = static_cast<double>(std::max<int64_t>(totals_.events, 1));
    const auto streams = static_cast<double>(options_.streams);
    const MemoryUse& open = engine_.halfway;
    bench::Figures figures;
    figures.add("events", static_cast<double>(totals_.events));
    figures.add("reads", static_cast<double>(totals_.reads));
    figures.add("lost_events",
                static_cast<double>(options_.all_calls() * options_.tokens - totals_.text_events));
    figures.add("failed_calls", static_cast<double>(totals_.failed));
    figures.add("client_coalesced", static_cast<double>(totals_.client_coalesced));
    figures.add("line_bytes", static_cast<double>(totals_.line_bytes));
    figures.add("wall_s", wall_ns / 1e9);
    figures.add("cpu_ns_per_event",
                static_cast<double>(cpu_after.total_ns - cpu_before.total_ns) / events);
    figures.add("user_ns_per_event",
                static_cast<double>(cpu_after.user_ns - cpu_before.user_ns) / events);
    figures.add("heap_bytes_per_stream",
                static_cast<double>(open.allocated - before.allocated) / streams);
    figures.add("rss_bytes_per_stream",
                static_cast<double>(open.resident - before.resident) / streams);
    if (truth_wanted_) add_truth(figures);
    figures.print(options_.json);
  }

  void add_truth(bench::Figures& figures) {
    // Not while other streams are read: comparing costs more than the product's own record does.
    for (const CallRecord& record : answered_) {
      if (!truth_.add(record, epoch_)) ++totals_.unmatched;
    }
    const double p50 = bench::quantile(truth_.ttft_us, 0.5);
    const double p99 = bench::quantile(truth_.ttft_us, 0.99);
    figures.add("unmatched_calls", static_cast<double>(totals_.unmatched));
    figures.add("stamp_error_p50_us", bench::quantile(truth_.stamp_us, 0.5));
    figures.add("stamp_error_p99_us", bench::quantile(truth_.stamp_us, 0.99));
    figures.add("stamp_error_min_us", bench::quantile(truth_.stamp_us, 0));
    figures.add("stamp_error_max_us", bench::quantile(truth_.stamp_us, 1));
    figures.add("read_lag_p50_us", bench::quantile(truth_.read_us, 0.5));
    figures.add("read_lag_p99_us", bench::quantile(truth_.read_us, 0.99));
    figures.add("ttft_p50_ms", p50 / 1e3);
    figures.add("ttft_p99_ms", p99 / 1e3);
    figures.add("ttft_p50_error_ms", (p50 - bench::quantile(truth_.true_ttft_us, 0.5)) / 1e3);
    figures.add("ttft_p99_error_ms", (p99 - bench::quantile(truth_.true_ttft_us, 0.99)) / 1e3);
    figures.add("call_error_p50_ms", bench::quantile(truth_.ttft_error_us, 0.5) / 1e3);
    figures.add("call_error_p99_ms", bench::quantile(truth_.ttft_error_us, 0.99) / 1e3);
  }

  const bench::LoadOptions& options_;
  const bool truth_wanted_;
  boost::asio::io_context io_{1};
  HttpClient http_{io_};
  WatchedEngine engine_;
  const MonoNs epoch_ = mono_now_ns();
  int64_t next_ = 0;
  Totals totals_;
  std::vector<CallRecord> answered_;
  Truth truth_;
};

}  // namespace

int main(int argc, char** argv) {
  CLI::App app("Reads N streams through the product's own path and prints what an event costs.");
  bench::LoadOptions options;
  bool truth = false;
  bench::add_load_options(app, options);
  app.add_flag("--truth", truth, "Compare the records with the mock's own send times");
  CLI11_PARSE(app, argc, argv);
  const auto url = parse_url(options.url);
  if (!url) {
    fmt::print(stderr, "{}\n", url.error().message);
    return 2;
  }
  Bench bench(options, *url, truth);
  return bench.run();
}
