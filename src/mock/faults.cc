#include "mock/faults.h"

#include <fmt/format.h>

#include <algorithm>
#include <charconv>

#include "base/text.h"

namespace assay {

namespace {

using Arguments = const std::vector<std::string>&;

constexpr int kRetries = 3;
constexpr std::string_view kPrefix = "fault:";
constexpr int64_t kMostMegabytes = 256;

constexpr std::string_view kMarkupText =
    "<script>alert(1)</script> <img src=x onerror=alert(2)> \x1b[31mred\x1b[0m "
    "\x1b]8;;http://evil.invalid\x07link\x1b]8;;\x07 =HYPERLINK(\"http://evil.invalid\") "
    "</script><!-- ]]> | [x](javascript:alert(3)) & \"quoted\"";
constexpr std::string_view kManyBytesText = "Zażółć gęślą jaźń 漢字 かな 😀 ñandú — fin";
constexpr std::string_view kBadUtf8Text = "good \xff\xfe bad \xc3( and \xf0\x9f\x98 cut good again";

Result<int64_t> whole(Arguments arguments, size_t index, int64_t otherwise) {
  if (arguments.size() <= index) return otherwise;
  std::string_view text = arguments[index];
  if (text.starts_with('+')) text.remove_prefix(1);
  int64_t value = 0;
  const auto end = std::from_chars(text.data(), text.data() + text.size(), value);
  if (end.ec != std::errc() || end.ptr != text.data() + text.size()) {
    return fail(Errc::kInvalidArgument, "`" + arguments[index] + "` is not a whole number");
  }
  return value;
}

/// `0.5` is seconds, `500ms` what it says.
Result<Nanos> duration(Arguments arguments, size_t index, Nanos otherwise) {
  if (arguments.size() <= index) return otherwise;
  const std::string& text = arguments[index];
  const bool bare = text.find_first_not_of("0123456789.") == std::string::npos;
  return parse_duration(bare ? text + "s" : text);
}

Result<void> fail_first(Arguments arguments, int status, int64_t requests, Behaviour& b) {
  const auto count = whole(arguments, 0, requests);
  if (!count) return fail(count.error());
  b.status = status;
  b.status_for = *count;
  return {};
}

Result<void> always(int status, Behaviour& b) {
  b.status = status;
  b.status_for = Behaviour::kAlways;
  return {};
}

Result<void> stop_after(Arguments arguments, Ending ending, Behaviour& b) {
  const auto count = whole(arguments, 0, 3);
  if (!count) return fail(count.error());
  b.text_events = std::max<int64_t>(*count, 0);
  b.ending = ending;
  return {};
}

#define ASSAY_APPLY(statement)                    \
  [](Arguments a, Behaviour& b) -> Result<void> { \
    static_cast<void>(a);                         \
    statement;                                    \
    return {};                                    \
  }

constexpr Fault kFaults[] = {
    // Refusals.
    {"429", "N=2, SECONDS=0", "first N requests of this name: 429 with Retry-After: SECONDS", "ok",
     "ok", 3,
     [](Arguments a, Behaviour& b) -> Result<void> {
       const auto seconds = whole(a, 1, 0);
       if (!seconds) return fail(seconds.error());
       b.retry_after = Behaviour::RetryAfter::kSeconds;
       b.retry_seconds = *seconds;
       return fail_first(a, 429, 2, b);
     }},
    {"429date", "N=1", "first N requests: 429 with Retry-After as a date one second ahead", "ok",
     "ok", 2,
     [](Arguments a, Behaviour& b) -> Result<void> {
       b.retry_after = Behaviour::RetryAfter::kDate;
       b.retry_seconds = 1;
       return fail_first(a, 429, 1, b);
     }},
    {"429huge", "N=1",
     "first N requests: 429 with Retry-After: 999999999; the client caps the wait", "ok", "ok", 2,
     [](Arguments a, Behaviour& b) -> Result<void> {
       b.retry_after = Behaviour::RetryAfter::kSeconds;
       b.retry_seconds = 999'999'999;
       return fail_first(a, 429, 1, b);
     }},
    {"503loading", "N=3", "first N requests: 503 `Loading model`", "ok", "ok", 4,
     [](Arguments a, Behaviour& b) -> Result<void> { return fail_first(a, 503, 3, b); }},
    {"500once", "", "first request: 500", "ok", "ok", 2,
     [](Arguments, Behaviour& b) -> Result<void> { return fail_first({}, 500, 1, b); }},
    {"500", "", "always 500", "error http_500", "error http_500", 4,
     [](Arguments, Behaviour& b) -> Result<void> { return always(500, b); }},
    {"400", "", "always 400", "error http_400", "error http_400", 1,
     [](Arguments, Behaviour& b) -> Result<void> { return always(400, b); }},
    {"unloaded", "N=1",
     "first N requests: 400 `Model unloaded.`, LM Studio's word for a model that it evicted; its "
     "own adapter asks once more",
     "error http_400", "error http_400", 1,
     [](Arguments a, Behaviour& b) -> Result<void> {
       b.status_text = "Model unloaded.";
       return fail_first(a, 400, 1, b);
     }},
    {"401", "", "always 401", "error http_401", "error http_401", 1,
     [](Arguments, Behaviour& b) -> Result<void> { return always(401, b); }},
    {"404", "", "always 404, model not found", "error http_404", "error http_404", 1,
     [](Arguments, Behaviour& b) -> Result<void> { return always(404, b); }},
    {"redirect", "", "always 302 to /redirected on this server; not to be followed",
     "error http_302", "error http_302", 1,
     [](Arguments, Behaviour& b) -> Result<void> { return always(302, b); }},
    {"refuse_stream_options", "",
     "400 that names stream_options when the request has them (Ollama's never has: one request)",
     "ok", "ok", 2, ASSAY_APPLY(b.refuse_stream_options = true)},
    {"html", "", "200 with an HTML page", "error not_a_stream", "error not_a_stream", 1,
     ASSAY_APPLY(b.html = true)},

    // Silence and slowness.
    {"hang_headers", "", "reads the request and never answers", "timeout timeout:first_byte",
     "timeout timeout:first_byte", 1, ASSAY_APPLY(b.hang_before_headers = true)},
    {"slow_headers", "T=0.5", "the headers come T later, the rest no sooner", "ok", "ok", 1,
     [](Arguments a, Behaviour& b) -> Result<void> {
       const auto delay = duration(a, 0, std::chrono::milliseconds(500));
       if (!delay) return fail(delay.error());
       b.header_delay = *delay;
       return {};
     }},
    {"hang_first", "", "headers, then nothing", "timeout timeout:first_token",
     "timeout timeout:first_token", 1, ASSAY_APPLY(b.text_events = 0; b.ending = Ending::kHang)},
    {"hang_mid", "K=3", "K text events, then nothing", "timeout timeout:idle",
     "timeout timeout:idle", 1,
     [](Arguments a, Behaviour& b) -> Result<void> { return stop_after(a, Ending::kHang, b); }},
    {"ping_forever", "", "headers, then only comments (Ollama: empty lines), one each 50 ms",
     "timeout timeout:first_token", "timeout timeout:first_token", 1,
     ASSAY_APPLY(b.pings = std::chrono::milliseconds(50))},
    {"trickle", "T=0.1", "the body one byte at a time, one each T", "timeout timeout:total",
     "timeout timeout:total", 1,
     [](Arguments a, Behaviour& b) -> Result<void> {
       const auto gap = duration(a, 0, std::chrono::milliseconds(100));
       if (!gap) return fail(gap.error());
       b.byte_by_byte = true;
       b.byte_gap = *gap;
       return {};
     }},

    // Cut short.
    {"truncate", "", "closes after half of the events, without the last chunk", "error incomplete",
     "error incomplete", 1, ASSAY_APPLY(b.ending = Ending::kClose)},
    {"cut_event", "", "closes in the middle of an event", "error incomplete", "error incomplete", 1,
     ASSAY_APPLY(b.ending = Ending::kClose; b.cut_inside = true)},
    {"short_cl", "", "whole answer, but Content-Length promises 100 bytes more; closes",
     "ok no_done", "ok no_done", 1,
     ASSAY_APPLY(b.framing = BodyFraming::kLength; b.promised_bytes = 100)},
    {"rst", "K=3", "K text events, then a reset", "error reset", "error reset", 1,
     [](Arguments a, Behaviour& b) -> Result<void> { return stop_after(a, Ending::kReset, b); }},
    {"rst_start", "", "a reset in place of the response", "error reset", "error reset", 1,
     ASSAY_APPLY(b.reset_at_start = true)},
    {"no_done", "", "no [DONE] (Ollama: no final line)", "ok no_done", "error incomplete", 1,
     ASSAY_APPLY(b.done = false)},
    {"no_finish", "", "no finish_reason (Ollama: done without done_reason)", "error incomplete",
     "ok", 1, ASSAY_APPLY(b.finish = false)},

    // Wrong content.
    {"bad_json", "", "a broken object in the middle", "error bad_json", "error bad_json", 1,
     ASSAY_APPLY(b.bad_json = true)},
    {"empty_choices", "", "every chunk has `choices: []`", "error incomplete", "ok", 1,
     ASSAY_APPLY(b.empty_choices = true)},
    {"error_in_stream", "", "an error object after half of the events, status 200",
     "error error_in_stream", "error error_in_stream", 1,
     ASSAY_APPLY(b.error_event = Behaviour::ErrorEvent::kObject)},
    {"ollama_err", "", "the same with `error` as a plain text", "error error_in_stream",
     "error error_in_stream", 1, ASSAY_APPLY(b.error_event = Behaviour::ErrorEvent::kText)},
    {"wrong_usage", "", "usage counts of -5 and 1e99; the counts are to be refused", "ok bad_usage",
     "ok bad_usage", 1, ASSAY_APPLY(b.absurd_usage = true)},
    {"wrong_length", "N=10", "usage claims N tokens more than were sent (fewer if negative)", "ok",
     "ok", 1,
     [](Arguments a, Behaviour& b) -> Result<void> {
       const auto extra = whole(a, 0, 10);
       if (!extra) return fail(extra.error());
       b.claimed_tokens = *extra;
       return {};
     }},
    {"no_usage", "", "never any usage or counts", "ok", "ok", 1, ASSAY_APPLY(b.usage = false)},
    {"endless", "", "goes on past max_tokens until the client leaves", "error over_limit",
     "error over_limit", 1, ASSAY_APPLY(b.endless = true)},
    {"huge_line", "MB=64", "one event of MB MiB", "error over_limit", "error over_limit", 1,
     [](Arguments a, Behaviour& b) -> Result<void> {
       const auto megabytes = whole(a, 0, 64);
       if (!megabytes) return fail(megabytes.error());
       b.one_token_bytes = std::clamp<int64_t>(*megabytes, 1, kMostMegabytes) << 20;
       return {};
     }},

    // Right, but unusual.
    {"utf8_split", "", "characters of several bytes; each byte of the body is its own write", "ok",
     "ok", 1, ASSAY_APPLY(b.text = kManyBytesText; b.byte_by_byte = true)},
    {"bad_utf8", "", "text with invalid UTF-8", "ok invalid_utf8", "ok invalid_utf8", 1,
     ASSAY_APPLY(b.text = kBadUtf8Text)},
    {"crlf", "", "lines end in CRLF", "ok", "ok", 1, ASSAY_APPLY(b.line_end = "\r\n")},
    {"nospace", "", "`data:{` without the space", "ok", "ok", 1,
     ASSAY_APPLY(b.space_after_colon = false)},
    {"multi_data", "", "each event over two data: lines", "ok", "ok", 1,
     ASSAY_APPLY(b.split_data_lines = true)},
    {"comments", "", "a comment before each event", "ok", "ok", 1, ASSAY_APPLY(b.comments = true)},
    {"coalesced", "K=8", "K events in one write, when the last is due", "ok", "ok", 1,
     [](Arguments a, Behaviour& b) -> Result<void> {
       const auto count = whole(a, 0, 8);
       if (!count) return fail(count.error());
       b.coalesce = std::max<int64_t>(*count, 1);
       return {};
     }},
    {"close_delimited", "", "Connection: close and no length", "ok", "ok", 1,
     ASSAY_APPLY(b.framing = BodyFraming::kUntilClose)},
    {"null_first", "", "first chunk with `content: null`", "ok", "ok", 1,
     ASSAY_APPLY(b.null_first = true)},
    {"role_none", "", "no role anywhere", "ok", "ok", 1, ASSAY_APPLY(b.role = RoleMode::kNone)},
    {"usage_only_chunk", "", "a chunk of usage and no choices in front of the text, unasked", "ok",
     "ok", 1, ASSAY_APPLY(b.usage_chunk_first = true)},
    {"empty", "", "no text; finish_reason stop", "ok empty", "ok empty", 1,
     ASSAY_APPLY(b.empty = true)},
    {"think_tags", "", "reasoning in <think> tags, each tag over two events", "ok", "ok", 1,
     ASSAY_APPLY(b.split_think_tags = true)},
    {"tool_calls", "", "one tool call, its arguments over several deltas (Ollama: one line)", "ok",
     "ok", 1, ASSAY_APPLY(b.tool_calls = true)},
    {"xss", "", "text with markup, terminal escapes and a spreadsheet formula", "ok", "ok", 1,
     ASSAY_APPLY(b.text = kMarkupText)},
};

#undef ASSAY_APPLY

}  // namespace

std::span<const Fault> faults() { return kFaults; }

Result<Behaviour> behaviour_of(std::string_view model) {
  Behaviour behaviour;
  if (!model.starts_with(kPrefix)) return behaviour;
  std::vector<std::string> arguments = split(model.substr(kPrefix.size()), ':');
  const std::string name = arguments.front();
  arguments.erase(arguments.begin());
  for (const Fault& fault : kFaults) {
    if (fault.name != name) continue;
    const auto applied = fault.apply(arguments, behaviour);
    if (!applied) return fail(applied.error());
    return behaviour;
  }
  return fail(Errc::kInvalidArgument, "no fault is called `" + printable(name) + "`");
}

int expected_attempts(const Behaviour& behaviour) {
  if (behaviour.refuse_stream_options) return 2;
  const bool repeated = behaviour.status == 429 || behaviour.status >= 500;
  if (!repeated) return 1;
  return static_cast<int>(std::min<int64_t>(behaviour.status_for, kRetries)) + 1;
}

std::string fault_table_markdown() {
  std::string text =
      "| model name | arguments | what happens | OpenAI outcome | Ollama outcome | requests |\n"
      "|---|---|---|---|---|---|\n";
  for (const Fault& fault : kFaults) {
    text += fmt::format("| `fault:{}` | {} | {} | {} | {} | {} |\n", fault.name, fault.arguments,
                        fault.effect, fault.outcome_openai, fault.outcome_ollama, fault.attempts);
  }
  return text;
}

}  // namespace assay
