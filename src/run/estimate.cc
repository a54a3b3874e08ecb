#include "run/estimate.h"

#include <fmt/format.h>

#include "base/ids.h"
#include "base/text.h"
#include "engines/call.h"
#include "run/engine_processes.h"
#include "run/served_load.h"
#include "run/synthetic.h"
#include "run/wait_for.h"
#include "stats/derive.h"
#include "telemetry/source.h"

namespace assay {
namespace {

constexpr int64_t kShortWords = 16;
constexpr int64_t kLongWords = 256;

Task<CallRecord> ask(LiveCell& live, const RunSpec& spec, std::string prompt, int64_t tokens,
                     std::optional<int64_t> context_length) {
  CallSettings settings;
  settings.max_tokens = tokens;
  settings.fixed_length = true;
  // Elsewhere the length is given when the model is loaded.
  if (live.engine->sizes_context()) settings.context_length = context_length;
  if (!live.cell.managed) settings.load = live.asked_load;  // Engines take what they know of it.
  CallRequest request(live.cell.model, std::move(prompt), settings);
  CallResult result;
  // A server may refuse optional members one after the other.
  for (int attempt = 0; attempt < 4; ++attempt) {
    CallWatch watch(live.engine->http().io(), limits_of(spec));
    result = CallResult();
    result.record.cell_id = live.cell.id;
    co_await call_engine(*live.engine, request, mono_now_ns(), watch, nullptr, result);
    if (!result.refused_member) break;
  }
  finish_record(result.record);
  co_return std::move(result.record);
}

Task<std::string> learn(LiveCell& live, const RunSpec& spec,
                        std::optional<int64_t> context_length) {
  Cell& cell = live.cell;
  const uint64_t seed = random_u64();
  const std::string short_text = salt_line(seed) + synthetic_words(kShortWords, seed);
  const std::string long_text = salt_line(seed + 1) + synthetic_words(kLongWords, seed + 1);

  const CallRecord first = co_await ask(live, spec, short_text, 16, context_length);
  if (first.outcome != Outcome::kOk) co_return first.error.value_or("it failed");
  const CallRecord second = co_await ask(live, spec, long_text, 1, context_length);
  if (second.outcome != Outcome::kOk) co_return second.error.value_or("it failed");

  if (!cell.load_ms && first.engine.load_ms) cell.load_ms = first.engine.load_ms;
  if (const auto speed = derive::decode_tps(first)) {
    cell.estimated_decode_tps = speed;
  } else if (first.completion_tokens && *first.completion_tokens > 1) {
    const double span_ms = static_cast<double>(*first.at.last_text - *first.at.first_text) / 1e6;
    if (span_ms > 0) {
      cell.estimated_decode_tps = static_cast<double>(*first.completion_tokens - 1) * 1e3 / span_ms;
    }
  }
  const auto ttft = derive::ttft_ms(second);
  if (second.prompt_tokens && ttft && *ttft > 0) {
    cell.estimated_prefill_tps = static_cast<double>(*second.prompt_tokens) * 1e3 / *ttft;
  }

  const auto counted = co_await live.engine->count_tokens(cell.model, long_text);
  if (counted) {
    cell.tokens_per_word = static_cast<double>(*counted) / (kLongWords + 10);
    if (second.prompt_tokens) cell.prompt_overhead = *second.prompt_tokens - *counted;
  } else if (first.prompt_tokens && second.prompt_tokens) {
    const auto more = static_cast<double>(*second.prompt_tokens - *first.prompt_tokens);
    cell.tokens_per_word = more / (kLongWords - kShortWords);
    cell.prompt_overhead =
        *first.prompt_tokens -
        static_cast<int64_t>(*cell.tokens_per_word * static_cast<double>(kShortWords + 10));
  }
  if (cell.tokens_per_word && *cell.tokens_per_word <= 0) cell.tokens_per_word.reset();
  co_return std::string();
}

}  // namespace

Limits limits_of(const RunSpec& spec) {
  Limits limits;
  limits.connect = spec.connect_timeout;
  limits.first_byte = spec.first_byte_timeout;
  limits.first_token = spec.first_token_timeout;
  limits.idle = spec.idle_timeout;
  limits.total = spec.timeout;
  return limits;
}

void estimate_cell(Session& session, LiveCell& live, const RunSpec& spec,
                   std::optional<int64_t> context_length, const OnNote& note) {
  if (!live.cell.unavailable.empty()) return;
  // An engine of ours that has made room for another was asked before.
  ManagedEngine* own = session.managed(live);
  if (own != nullptr && own->state() != ManagedEngine::State::kRunning) return;
  // Its calls will be skipped: nobody's model is to be loaded anew for that.
  if (asks_for_load(live) && !takes_load(live)) return;
  // What is learnt of a model that is loaded otherwise does not hold.
  const auto loaded = session.wait_for(load_as_asked(session, live));
  const std::string failed =
      loaded ? session.wait_for(learn(live, spec, context_length)) : loaded.error().message;
  if (!failed.empty()) {
    note(fmt::format("{}: the first estimate failed: {}", printable(live.cell.id, 80), failed));
  }
  // What the model takes is known once it is loaded: the server's word, or what its process has
  // where it serves no other model.
  const bool alone = live.engine != nullptr && !live.engine->unloads() && !live.cell.memory_bytes;
  if (own != nullptr || alone) {
    live.cell.memory_bytes = engine_memory(session, live, machine_roots().proc);
  }
  if (own != nullptr || live.engine == nullptr) return;
  // How it was loaded is told by the run itself.
  const auto told = session.wait_for(ask_load(session, live));
  if (!told) return;
  if (told->memory_bytes) live.cell.memory_bytes = told->memory_bytes;
  if (told->vram_bytes) live.cell.vram_bytes = told->vram_bytes;
  if (told->context_length) live.cell.context_length = told->context_length;
}

void estimate_cells(Session& session, const RunSpec& spec, std::optional<int64_t> context_length,
                    const OnNote& note) {
  for (LiveCell& live : session.cells) {
    estimate_cell(session, live, spec, context_length, note);
  }
}

}  // namespace assay
