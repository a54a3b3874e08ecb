#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <cmath>
#include <nlohmann/json.hpp>

#include "base/text.h"
#include "importers/fields.h"
#include "importers/run_builder.h"

namespace assay {
namespace {

using Json = nlohmann::ordered_json;

struct Group {
  const char* name;  ///< In `requests`.
  Outcome outcome;
};
constexpr std::array kGroups{Group{"successful", Outcome::kOk}, Group{"errored", Outcome::kError},
                             Group{"incomplete", Outcome::kCancelled}};

/// Turns Unix seconds into instants of the run.
class Clock {
 public:
  explicit Clock(double epoch_s) : epoch_s_(epoch_s) {}
  Instants::At at(const Fields& timings, std::string_view name) const {
    const auto seconds = timings.number(name);
    if (!seconds) return std::nullopt;
    const auto ns = nanos_of_seconds(*seconds - epoch_s_);
    if (!ns) timings.fault(name, "it lies years from the other times");
    return ns;
  }

 private:
  double epoch_s_;
};

Instants instants_of(const Fields& timings, const Clock& clock) {
  Instants at;
  at.due = clock.at(timings, "targeted_start");
  at.sent = clock.at(timings, "request_start");
  // Where a strategy has no schedule its target is when the request could have started.
  if (at.due && at.sent && *at.due > *at.sent) at.due = at.sent;
  at.first_event = clock.at(timings, "first_request_iteration");
  at.first_text = clock.at(timings, "first_token_iteration");
  at.first_visible = clock.at(timings, "first_output_token_iteration");
  at.last_text = clock.at(timings, "last_token_iteration");
  at.done = clock.at(timings, "request_end");
  return at;
}

CallRecord record_of(const Fields& request, const Group& group, const Clock& clock) {
  const Fields info = request.object("info");
  const Fields timings = info.object("timings");
  CallRecord r;
  r.outcome = group.outcome;
  r.at = instants_of(timings, clock);
  r.events = timings.count("request_iterations").value_or(0);
  r.text_events = timings.count("token_iterations").value_or(0);
  const Fields input = request.object("input_metrics");
  const Fields output = request.object("output_metrics");
  r.prompt_tokens = input.count("total_tokens");
  if (!r.prompt_tokens) r.prompt_tokens = input.count("text_tokens");
  r.cached_tokens = input.count("cached_tokens");
  auto tokens = output.count("total_tokens");
  if (!tokens) tokens = output.count("text_tokens");
  if (tokens) {
    r.completion_tokens = tokens;
    r.token_source = TokenSource::kUsage;
  } else if (r.text_events > 0) {
    // As GuideLLM does: an iteration stands for a token.
    r.completion_tokens = r.text_events;
    r.token_source = TokenSource::kEstimate;
    r.flags.emplace_back("estimated_tokens");
  }
  if (group.outcome == Outcome::kOk) return r;
  r.at.ended = r.at.done ? r.at.done : clock.at(timings, "resolve_end");
  r.at.done.reset();
  if (group.outcome == Outcome::kError) {
    set_failed(r, info.text("error"), std::nullopt);
  } else {
    r.error_code = "cancelled";
    r.error = "the benchmark ended before the answer";
  }
  return r;
}

/// `concurrent@c8`, `constant@4/s`, `synchronous`.
std::string strategy_name(const Fields& strategy) {
  std::string name = strategy.text("type_");
  if (name.empty()) name = "benchmark";
  const auto streams = strategy.count("streams");
  const auto rate = strategy.number("rate");
  if (streams) return fmt::format("{}@c{}", name, *streams);
  return rate ? fmt::format("{}@{:g}/s", name, *rate) : name;
}

const Json* requests_of(const Fields& requests, const Group& group) {
  return requests.list(group.name);
}

/// The earliest start of any request, Unix seconds.
std::optional<double> first_start(const Json& benchmarks, Faults& faults) {
  std::optional<double> first;
  for (size_t b = 0; b < benchmarks.size(); ++b) {
    const Fields requests =
        Fields(benchmarks[b], fmt::format("benchmark {}", b + 1), faults).object("requests");
    for (const Group& group : kGroups) {
      const Json* list = requests_of(requests, group);
      for (size_t i = 0; list != nullptr && i < list->size(); ++i) {
        const Fields request((*list)[i], fmt::format("benchmark {}, {}[{}]", b + 1, group.name, i),
                             faults);
        const auto start = request.object("info").object("timings").number("request_start");
        if (start) first = std::min(first.value_or(*start), *start);
      }
    }
  }
  return first;
}

void report_metrics(const Fields& benchmark, const std::string& of, RunBuilder& run) {
  const Fields metrics = benchmark.object("metrics");
  struct Named {
    const char* name;
    const char* unit;
  };
  for (const Named& metric :
       {Named{"requests_per_second", "1/s"}, Named{"request_latency", "s"},
        Named{"time_to_first_token_ms", "ms"}, Named{"time_per_output_token_ms", "ms"},
        Named{"inter_token_latency_ms", "ms"}, Named{"output_tokens_per_second", "tok/s"}}) {
    const Fields summary = metrics.object(metric.name).object("successful");
    run.report(of, fmt::format("{} mean", metric.name), metric.unit, summary.number("mean"));
    run.report(of, fmt::format("{} median", metric.name), metric.unit, summary.number("median"));
    run.report(of, fmt::format("{} p99", metric.name), metric.unit,
               summary.object("percentiles").number("p99"));
  }
}

/// A sampled file holds fewer requests than were made.
void note_samples(const Fields& benchmark, const std::string& name, int64_t found,
                  RunBuilder& run) {
  const auto made =
      benchmark.object("scheduler_metrics").object("requests_made").count("successful");
  if (!made || *made <= found) return;
  run.note(fmt::format("{}: the file holds {} of {} answered requests; throughput is theirs only",
                       name, found, *made));
}

std::string model_of(const Fields& report, const Fields& benchmark) {
  for (const Fields& from : {benchmark.object("config").object("backend"), report.object("args")}) {
    std::string model = from.text_if_text("model");
    if (!model.empty()) return model;
  }
  return {};
}

void add_benchmark(const Fields& report, const Fields& benchmark, const Clock& clock,
                   RunBuilder& run, Faults& faults, bool& fits) {
  const Fields strategy = benchmark.object("config").object("strategy");
  const int64_t cell = run.cell(model_of(report, benchmark));
  const std::string name = strategy_name(strategy);
  auto concurrency = strategy.count("streams");
  if (strategy.text("type_") == "synchronous") concurrency = 1;
  const int64_t leg = run.leg(cell, name, Phase::kMeasure, concurrency);
  report_metrics(benchmark, name, run);
  const Fields requests = benchmark.object("requests");
  int64_t found = 0;
  for (const Group& group : kGroups) {
    const Json* list = requests_of(requests, group);
    for (size_t i = 0; list != nullptr && i < list->size(); ++i) {
      if (faults.any() || !fits) return;
      const Fields request((*list)[i], fmt::format("{}, {}[{}]", benchmark.place(), group.name, i),
                           faults);
      CallRecord record = record_of(request, group, clock);
      if (!record.at.sent && group.outcome == Outcome::kOk) {
        request.object("info").object("timings").fault("request_start", "it is missing");
      }
      fits = run.add(leg, std::move(record));
      if (group.outcome == Outcome::kOk) ++found;
    }
  }
  if (found == 0) run.only_totals(leg, "the file holds no request of it");
  note_samples(benchmark, name, found, run);
}

}  // namespace

bool fits_guidellm(const ImportText& source) {
  if (source.size() == 0) return false;
  const Json& first = source.at(0);
  if (!first.is_object() || !first.contains("benchmarks") || !first["benchmarks"].is_array()) {
    return false;
  }
  const Json& list = first["benchmarks"];
  return list.empty() || (list[0].is_object() && list[0].contains("requests"));
}

Result<ImportedRun> read_guidellm(const ImportText& source, const ImportHints& hints) {
  Faults faults;
  if (source.size() == 0) return fail(Errc::kProtocol, "it is no JSON document");
  const Fields report(source.at(0), "", faults);
  const Json* benchmarks = report.list("benchmarks");
  if (benchmarks == nullptr) report.fault("benchmarks", "it is missing");
  if (faults.any()) return fail(faults.error());
  RunBuilder run(hints, "openai");
  run.version(report.object("metadata").text("guidellm_version"));
  run.define(
      "GuideLLM stamps with the wall clock, in its own process; its TPOT counts the first token's "
      "wait, which is tpot.guidellm here");
  run.define("it keeps no instant of single tokens: there is no ICL and no longest gap");
  run.define("requests of unlike length are in one leg, as GuideLLM pools them");
  const auto epoch = first_start(*benchmarks, faults);
  bool fits = true;
  for (size_t i = 0; i < benchmarks->size() && fits && !faults.any(); ++i) {
    const Fields benchmark((*benchmarks)[i], fmt::format("benchmark {}", i + 1), faults);
    add_benchmark(report, benchmark, Clock(epoch.value_or(0)), run, faults, fits);
  }
  if (faults.any()) return fail(faults.error());
  if (!fits) return too_many_calls();
  if (const auto started = nanos_of_seconds(epoch)) run.started(*started);
  return run.finish();
}

}  // namespace assay
