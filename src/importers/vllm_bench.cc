#include <fmt/format.h>

#include <algorithm>
#include <nlohmann/json.hpp>

#include "base/text.h"
#include "importers/fields.h"
#include "importers/run_builder.h"

namespace assay {
namespace {

using Json = nlohmann::ordered_json;

/// The lists of --save-detailed: one entry a request, in seconds.
struct Lists {
  const Json* ttfts = nullptr;
  const Json* itls = nullptr;
  const Json* starts = nullptr;
  const Json* outputs = nullptr;
  const Json* inputs = nullptr;
  const Json* errors = nullptr;
  const Json* latencies = nullptr;  ///< Of newer versions.

  [[nodiscard]] bool complete() const {
    return ttfts != nullptr && itls != nullptr && starts != nullptr && outputs != nullptr;
  }
};

Lists lists_of(const Fields& result) {
  Lists l;
  l.ttfts = result.list("ttfts");
  l.itls = result.list("itls");
  l.starts = result.list("start_times");
  l.outputs = result.list("output_lens");
  l.inputs = result.list("input_lens");
  l.errors = result.list("errors");
  l.latencies = result.list("latencies");
  const size_t n = l.ttfts == nullptr ? 0 : l.ttfts->size();
  for (const auto& [name, list] :
       {std::pair{"itls", l.itls}, std::pair{"start_times", l.starts},
        std::pair{"output_lens", l.outputs}, std::pair{"input_lens", l.inputs},
        std::pair{"errors", l.errors}, std::pair{"latencies", l.latencies}}) {
    if (list != nullptr && l.ttfts != nullptr && list->size() != n) {
      result.fault(name, fmt::format("it has {} entries, 'ttfts' has {}", list->size(), n));
    }
  }
  return l;
}

/// Requests to /v1/completions have no role chunk: their first chunk with `choices` is text.
bool is_completions(const std::string& backend) { return backend == "openai" || backend == "vllm"; }

std::string error_of(const Lists& lists, size_t i) {
  if (lists.errors == nullptr) return {};
  const Json& error = (*lists.errors)[i];
  if (!error.is_string()) return {};
  // A traceback ends with what went wrong.
  const std::string text(trim(error.get_ref<const std::string&>()));
  return text.substr(text.rfind('\n') + 1);
}

/// One request. `epoch`: the first one's start on the tool's clock.
class Request {
 public:
  Request(const Lists& lists, size_t index, std::string place, Faults& faults)
      : lists_(lists), index_(index), place_(std::move(place)), faults_(faults) {}

  CallRecord record(double epoch, bool completions) {
    CallRecord r;
    r.at.sent = nanos(seconds(lists_.starts, "start_times") - epoch);
    r.at.due = r.at.start = r.at.sent;
    if (lists_.inputs != nullptr) r.prompt_tokens = whole(lists_.inputs, "input_lens");
    const double ttft = seconds(lists_.ttfts, "ttfts");
    const std::string error = error_of(lists_, index_);
    if (!error.empty() || ttft <= 0) {
      set_failed(r, error, std::nullopt);
      if (lists_.latencies != nullptr && seconds(lists_.latencies, "latencies") > 0) {
        r.at.ended = *r.at.sent + nanos(seconds(lists_.latencies, "latencies"));
      }
      return r;
    }
    r.outcome = Outcome::kOk;
    r.completion_tokens = whole(lists_.outputs, "output_lens");
    r.token_source = TokenSource::kUsage;
    add_stream(nanos(ttft), completions, r);
    return r;
  }

 private:
  /// `first`: from sending to the first chunk. Of chat the role chunk may be that one: it is an
  /// event and no text, and the text's begin is not known.
  void add_stream(int64_t first, bool completions, CallRecord& r) {
    const Json& gaps = (*lists_.itls)[index_];
    if (!gaps.is_array()) {
      faults_.add(fmt::format("{}'itls'[{}]", place_, index_), "it is no list");
      return;
    }
    TokenTimes times;
    double sum = 0;
    int64_t last = 0;
    if (completions) times.add(first);
    for (size_t i = 0; i < gaps.size(); ++i) {
      const auto gap =
          number_at(gaps, i, fmt::format("{}'itls'[{}]", place_, index_), faults_).value_or(0);
      sum += gap;
      const int64_t at = nanos(sum);
      times.add((times.events() == 0 ? first : 0) + at - last);
      last = at;
    }
    r.events = std::ssize(gaps) + 1;
    r.text_events = times.events();
    r.tokens = times.take();
    const int64_t first_at = *r.at.sent + first;
    r.at.first_event = first_at;
    if (completions) r.at.first_text = r.at.first_visible = first_at;
    r.at.last_text = r.at.done = first_at + last;
  }

  double seconds(const Json* list, std::string_view name) {
    return number_at(*list, index_, fmt::format("{}'{}'", place_, name), faults_).value_or(0);
  }

  int64_t whole(const Json* list, std::string_view name) {
    const double value = seconds(list, name);
    if (value >= 0) return static_cast<int64_t>(value);
    faults_.add(fmt::format("{}'{}'[{}]", place_, name, index_), "no request has so many tokens");
    return 0;
  }

  int64_t nanos(double value) {
    const auto ns = nanos_of_seconds(value);
    if (!ns) faults_.add(fmt::format("{}request {}", place_, index_), "its times cannot be");
    return ns.value_or(0);
  }

  const Lists& lists_;
  size_t index_;
  std::string place_;
  Faults& faults_;
};

void report_totals(const Fields& result, const Json& json, const std::string& of, RunBuilder& run) {
  for (const std::string_view name :
       {"request_throughput", "output_throughput", "total_token_throughput"}) {
    run.report(of, name, name == "request_throughput" ? "1/s" : "tok/s", result.number(name));
  }
  run.report(of, "completed", "calls", result.number("completed"));
  run.report(of, "failed", "calls", result.number("failed"));
  run.report(of, "duration", "s", result.number("duration"));
  for (const auto& [name, value] : json.items()) {
    if (name.ends_with("_ms") && value.is_number()) {
      run.report(of, name, "ms", result.number(name));
    }
  }
}

/// The test's name: several results of one file differ in rate or concurrency.
std::string name_of(const Fields& result, const Json& json) {
  std::string name = "requests";
  if (json.contains("request_rate") && json["request_rate"].is_number()) {
    name += fmt::format("@{:g}/s", json["request_rate"].get<double>());
  }
  if (const auto most = result.count("max_concurrency")) name += fmt::format("@c{}", *most);
  return name;
}

void define_all(bool completions, RunBuilder& run) {
  run.define(
      "vLLM's TTFT ends at the first chunk with `choices`, a role chunk too, its latency with the "
      "last one, its ITL is the gap between such chunks");
  run.define("requests of unlike length are in one leg, as vLLM pools them");
  run.define(
      completions
          ? "completions have no role chunk, so their first chunk is taken for the first text"
          : "of chat the first chunk may be a role chunk: it counts for first_delta_ms and "
            "tpot.vllm only, and there is no TTFT and no output speed");
}

void add_result(const Json& json, const std::string& place, RunBuilder& run, Faults& faults,
                bool& fits) {
  const Fields result(json, place, faults);
  const int64_t cell = run.cell(result.text("model_id"));
  const std::string name = name_of(result, json);
  const int64_t leg = run.leg(cell, name, Phase::kMeasure, result.count("max_concurrency"));
  const Lists lists = lists_of(result);
  std::string backend = result.text("backend");
  if (backend.empty()) backend = result.text("endpoint_type");
  const bool completions = is_completions(backend);
  define_all(completions, run);
  const std::string date = result.text("date");
  if (!date.empty()) run.note("vLLM's date, in the zone of its machine: " + printable(date, 40));
  report_totals(result, json, name, run);
  if (faults.any()) return;
  if (!lists.complete()) {
    run.only_totals(leg, "the file has totals only; --save-detailed keeps each request");
    return;
  }
  const std::string before = place.empty() ? "" : place + ", ";
  double epoch = 0;
  for (size_t i = 0; i < lists.starts->size(); ++i) {
    const auto start = number_at(*lists.starts, i, before + "'start_times'", faults).value_or(0);
    epoch = i == 0 ? start : std::min(epoch, start);
  }
  for (size_t i = 0; i < lists.ttfts->size() && fits && !faults.any(); ++i) {
    fits = run.add(leg, Request(lists, i, before, faults).record(epoch, completions));
  }
}

}  // namespace

bool fits_vllm_bench(const ImportText& source) {
  if (source.size() == 0) return false;
  const Json& first = source.at(0);
  return first.is_object() && first.contains("request_throughput") && first.contains("completed") &&
         first.contains("model_id");
}

Result<ImportedRun> read_vllm_bench(const ImportText& source, const ImportHints& hints) {
  Faults faults;
  RunBuilder run(hints, "openai");
  bool fits = true;
  for (size_t i = 0; i < source.size() && fits && !faults.any(); ++i) {
    add_result(source.at(i), source.place(i), run, faults, fits);
  }
  if (faults.any()) return fail(faults.error());
  if (!fits) return too_many_calls();
  return run.finish();
}

}  // namespace assay
