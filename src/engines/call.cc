#include "engines/call.h"

#include <fmt/format.h>

#include <charconv>
#include <ctime>

#include "base/text.h"
#include "engines/answer_reader.h"

namespace assay {
namespace {

/// Seconds, or an HTTP date.
std::optional<Nanos> parse_retry_after(std::string_view text) {
  if (text.empty()) return std::nullopt;
  int64_t seconds = 0;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), seconds);
  constexpr int64_t kMost = 1'000'000;
  if (error == std::errc::result_out_of_range) return std::chrono::seconds(kMost);
  if (error == std::errc() && end == text.data() + text.size()) {
    return std::chrono::seconds(std::clamp<int64_t>(seconds, 0, kMost));
  }
  std::tm date{};
  const std::string copy(text);
  if (::strptime(copy.c_str(), "%a, %d %b %Y %H:%M:%S GMT", &date) == nullptr) return std::nullopt;
  const int64_t wait = int64_t{::timegm(&date)} - wall_now_ns() / 1'000'000'000;
  return std::chrono::seconds(std::clamp<int64_t>(wait, 0, kMost));
}

/// Drops the optional body member that the server's refusal names, if the request had it. Calls
/// side by side may all have had it: each of them is worth another attempt.
bool drop_refused_member(const Optional400& sent_with, Optional400& accepts, int status,
                         std::string_view body) {
  if (status != 400 && status != 422) return false;
  const auto drop = [&](bool was_there, bool& member, std::string_view name) {
    if (!was_there || body.find(name) == std::string_view::npos) return false;
    member = false;
    return true;
  };
  return drop(sent_with.stream_options, accepts.stream_options, "stream_options") ||
         drop(sent_with.ignore_eos, accepts.ignore_eos, "ignore_eos") ||
         drop(sent_with.min_tokens, accepts.min_tokens, "min_tokens") ||
         drop(sent_with.metadata, accepts.metadata, "metadata") ||
         drop(sent_with.labels, accepts.labels, "labels");
}

void copy_instants(const Exchange& exchange, MonoNs epoch, CallRecord& record) {
  const auto since = [epoch](const std::optional<MonoNs>& at) {
    return at ? std::optional<int64_t>(*at - epoch) : std::nullopt;
  };
  record.at.connected = since(exchange.connected);
  record.at.sent = since(exchange.sent);
  record.at.sent_end = since(exchange.sent_end);
  record.at.first_byte = since(exchange.first_byte);
  record.min_rtt_us = exchange.min_rtt_us;
  if (exchange.head.status != 0) record.http_status = exchange.head.status;
  if (!record.at.done) record.at.done = since(exchange.last_byte);
}

}  // namespace

Task<void> call_engine(Engine& engine, const CallRequest& request, MonoNs epoch, CallWatch& watch,
                       const OnLive* live, CallResult& result) {
  CallRecord& record = result.record;
  record.backend = engine.kind();
  const Optional400 sent_with = engine.accepts;
  HttpRequest http = engine.chat_request(request);
  record.endpoint = http.target;
  if (request.want_stamps) http.headers.emplace_back("X-Assay-Stamp", "1");

  if (request.tags) {
    for (auto& header : tag_headers(*request.tags)) http.headers.push_back(std::move(header));
  }

  StreamRecorder recorder(record, epoch, request, &watch, live);
  AnswerReader reader(engine, recorder);
  const auto on_body = [&](const ResponseHead& head, std::string_view bytes, const Stamp& stamp) {
    return reader.feed(head, bytes, stamp);
  };

  record.at.start = mono_now_ns() - epoch;
  if (!record.at.due) record.at.due = record.at.start;
  const Exchange exchange =
      co_await engine.http().exchange(engine.url(), std::move(http), engine.key(), watch, on_body);

  copy_instants(exchange, epoch, record);
  reader.end(exchange.head, exchange.failure, watch.expired());
  if (record.outcome != Outcome::kOk) record.at.ended = mono_now_ns() - epoch;
  result.retry_after = parse_retry_after(exchange.head.header("retry-after"));
  result.refused_member =
      drop_refused_member(sent_with, engine.accepts, exchange.head.status, reader.error_body());
  if (result.refused_member) recorder.add_flag("refused_member");
  result.model_unloaded = record.error && engine.says_unloaded(*record.error);
  if (result.model_unloaded) recorder.add_flag("model_unloaded");
  if (const std::string_view routed = exchange.head.header("x-weeyuga-backend"); !routed.empty()) {
    record.backend = printable(routed, 60);
  }
  if (const MonoNs jump = engine.http().last_clock_jump();
      jump != 0 && jump - epoch > *record.at.start) {
    recorder.add_flag("clock_jump");
  }
  result.text = recorder.take_text();
}

}  // namespace assay
