#include <fmt/format.h>

#include <algorithm>
#include <nlohmann/json.hpp>

#include "base/text.h"
#include "importers/fields.h"
#include "importers/run_builder.h"

namespace assay {
namespace {

using Json = nlohmann::ordered_json;

constexpr double kNsPerMs = 1e6;

bool is_record(const Json& json) {
  return json.is_object() && json.contains("metadata") && json["metadata"].is_object() &&
         json["metadata"].contains("request_start_ns");
}

/// A metric is `{"value": ..., "unit": ...}`.
std::optional<double> ms_of(const Fields& metrics, std::string_view name) {
  const Fields metric = metrics.object(name);
  const auto value = metric.number("value");
  if (value && metric.text("unit") != "ms") metric.fault("unit", "it is not ms");
  return value;
}

std::optional<int64_t> count_of(const Fields& metrics, std::string_view name) {
  return metrics.object(name).count("value");
}

/// Nanoseconds since the Unix epoch need all 64 bits: a double would lose a quarter of a
/// microsecond.
std::optional<int64_t> epoch_ns(const Json& json, std::string_view name) {
  const auto found = json.find(name);
  if (found == json.end() || !found->is_number_integer()) return std::nullopt;
  const auto ns = found->get<int64_t>();
  return ns >= 0 && ns < INT64_MAX / 2 ? std::optional(ns) : std::nullopt;
}

/// The chunks behind the first one, and with them the last text's instant.
void add_chunks(const Fields& metrics, int64_t first_ns, CallRecord& r, Faults& faults) {
  const Fields metric = metrics.object("inter_chunk_latency");
  const Json* gaps = metric.list("value");
  if (gaps == nullptr) return;
  TokenTimes times;
  times.add(first_ns);
  double sum = 0;
  int64_t last = 0;
  for (size_t i = 0; i < gaps->size(); ++i) {
    sum += number_at(*gaps, i, metric.place(), faults).value_or(0);
    const auto at = nanos_of_seconds(sum / 1e3);
    if (!at) {
      metric.fault("value", "its times cannot be");
      return;
    }
    times.add(*at - last);
    last = *at;
  }
  r.text_events = times.events();
  r.tokens = times.take();
  r.at.last_text = *r.at.first_text + last;
}

void set_error(const Fields& record, const Fields& metadata, CallRecord& r) {
  const Fields error = record.object("error");
  const std::string type = error.text_if_text("type");
  const auto code = error.count("code");
  set_failed(r,
             fmt::format("{}{}{}", type, type.empty() ? "" : ": ", error.text_if_text("message")),
             code);
  r.at.ended = r.at.done;
  r.at.done.reset();
  if (!metadata.is("was_cancelled")) return;
  r.outcome = Outcome::kCancelled;
  r.error_code = "cancelled";
}

CallRecord record_of(const Json& json, const std::string& place, int64_t epoch, Faults& faults) {
  const Fields record(json, place, faults);
  const Fields metadata = record.object("metadata");
  const Fields metrics = record.object("metrics");
  CallRecord r;
  const auto start = epoch_ns(json["metadata"], "request_start_ns");
  const auto end = epoch_ns(json["metadata"], "request_end_ns");
  if (!start || (end && *end < *start)) {
    metadata.fault("request_start_ns", "it is missing, or behind the end");
    return r;
  }
  r.at.sent = r.at.due = r.at.start = *start - epoch;
  if (end) r.at.done = *end - epoch;
  r.prompt_tokens = count_of(metrics, "input_sequence_length");
  if (record.has("error") || metadata.is("was_cancelled")) {
    set_error(record, metadata, r);
    return r;
  }
  r.outcome = Outcome::kOk;
  r.completion_tokens = count_of(metrics, "output_sequence_length");
  if (r.completion_tokens) r.token_source = TokenSource::kTokenize;
  r.usage_output_tokens = count_of(metrics, "usage_completion_tokens");
  r.reasoning_tokens = count_of(metrics, "reasoning_token_count");
  // Latencies are of the monotonic clock, the end is of the wall clock.
  if (const auto latency = ms_of(metrics, "request_latency")) {
    r.at.done = *r.at.sent + static_cast<int64_t>(*latency * kNsPerMs);
  }
  const auto ttft = ms_of(metrics, "time_to_first_token");
  if (!ttft) return r;
  const auto first_ns = static_cast<int64_t>(*ttft * kNsPerMs);
  r.at.first_event = r.at.first_text = *r.at.sent + first_ns;
  if (const auto visible = ms_of(metrics, "time_to_first_output_token")) {
    r.at.first_visible = *r.at.sent + static_cast<int64_t>(*visible * kNsPerMs);
  }
  // Bytes are not told; what counts is whether any reasoning was streamed.
  if (r.reasoning_tokens.value_or(0) > 0) r.reasoning_bytes = *r.reasoning_tokens;
  add_chunks(metrics, first_ns, r, faults);
  return r;
}

Phase phase_of(const Json& json) {
  const auto found = json["metadata"].find("benchmark_phase");
  const bool warmup = found != json["metadata"].end() && *found == "warmup";
  return warmup ? Phase::kWarmup : Phase::kMeasure;
}

Result<ImportedRun> read_records(const ImportText& source, RunBuilder run) {
  Faults faults;
  std::optional<int64_t> epoch;
  for (size_t i = 0; i < source.size(); ++i) {
    if (!is_record(source.at(i))) {
      faults.add(source.place(i), "it is no request's record");
      return fail(faults.error());
    }
    const auto start = epoch_ns(source.at(i)["metadata"], "request_start_ns");
    if (start) epoch = std::min(epoch.value_or(*start), *start);
  }
  const int64_t cell = run.cell("");
  bool fits = true;
  for (size_t i = 0; i < source.size() && fits && !faults.any(); ++i) {
    const Json& json = source.at(i);
    const int64_t leg = run.leg(cell, "requests", phase_of(json), std::nullopt);
    fits = run.add(leg, record_of(json, source.place(i), epoch.value_or(0), faults));
  }
  if (faults.any()) return fail(faults.error());
  if (!fits) return too_many_calls();
  run.started(epoch.value_or(0));
  return run.finish();
}

/// The whole file's figures: there is no request in it.
Result<ImportedRun> read_totals(const ImportText& source, RunBuilder run) {
  Faults faults;
  const Fields totals(source.at(0), "", faults);
  run.version(totals.text("aiperf_version"));
  for (const auto& [name, value] : source.at(0).items()) {
    if (!value.is_object() || !value.contains("unit") || !value.contains("avg")) continue;
    const Fields metric = totals.object(name);
    for (const std::string_view statistic : {"avg", "p50", "p99"}) {
      run.report("requests", fmt::format("{} {}", name, statistic), metric.text("unit"),
                 metric.number(statistic));
    }
  }
  const int64_t leg = run.leg(run.cell(""), "requests", Phase::kMeasure, 1);
  run.only_totals(leg, "the file has totals only; profile_export.jsonl beside it has the requests");
  if (const auto at = nanos_of_utc(totals.text_if_text("start_time"))) run.started(*at);
  if (faults.any()) return fail(faults.error());
  return run.finish();
}

}  // namespace

bool fits_aiperf(const ImportText& source) {
  if (source.size() == 0) return false;
  const Json& first = source.at(0);
  if (is_record(first)) return true;
  return first.is_object() &&
         (first.contains("aiperf_version") || first.contains("input_config")) &&
         first.contains("request_latency");
}

Result<ImportedRun> read_aiperf(const ImportText& source, const ImportHints& hints) {
  if (source.size() == 0) return fail(Errc::kProtocol, "it is no JSON document");
  RunBuilder run(hints, "openai");
  if (hints.model.empty()) run.note("the file's requests name no model: --model NAME does");
  run.define(
      "AIPerf's TTFT ends at the first chunk with content or reasoning, as ours; its ITL is "
      "(latency - TTFT) / (tokens - 1), which is itl.aiperf here up to the last chunk");
  run.define(
      "it counts tokens with its own tokenizer unless a request says what the server counted");
  run.define("requests of unlike length are in one leg, as AIPerf pools them");
  return is_record(source.at(0)) ? read_records(source, std::move(run))
                                 : read_totals(source, std::move(run));
}

}  // namespace assay
