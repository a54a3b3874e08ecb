#include "engines/openai_events.h"

namespace assay {
namespace {

namespace od = simdjson::ondemand;
using json_reader::amount;
using json_reader::count;
using json_reader::each_member;
using json_reader::is;
using json_reader::is_null;
using json_reader::text_or_empty;

/// A string, or with Ollama the object itself.
std::string_view arguments_text(od::value value) {
  od::json_type type{};
  std::string_view raw;
  if (value.type().get(type) || type != od::json_type::object) return text_or_empty(value);
  return simdjson::to_json_string(value).get(raw) ? std::string_view() : raw;
}

/// Tool-call deltas: a name once, then pieces of the arguments.
void read_tool_calls(od::value value, Delta& delta) {
  od::array calls;
  if (is_null(value) || value.get_array().get(calls)) return;
  for (auto call : calls) {
    od::value item;
    if (call.get(item)) return;
    each_member(item, [&](od::raw_json_string key, od::value inner) {
      if (!is(key, "function")) return true;
      return each_member(inner, [&](od::raw_json_string name, od::value v) {
        if (is(name, "name")) delta.tool_name = text_or_empty(v);
        if (is(name, "arguments")) delta.tool_args = arguments_text(v);
        return true;
      });
    });
  }
}

bool read_choices(od::value value, Delta& delta) {
  od::array choices;
  if (is_null(value)) return true;
  if (value.get_array().get(choices)) return false;
  for (auto choice : choices) {
    od::value item;
    if (choice.get(item)) return false;
    if (delta.has_choice) continue;  // Further choices are not asked for.
    delta.has_choice = true;
    const bool fine = each_member(item, [&](od::raw_json_string key, od::value v) {
      if (is(key, "delta") || is(key, "message")) return read_chat_message(v, delta);
      if (is(key, "text")) delta.text = text_or_empty(v);
      if (is(key, "finish_reason")) delta.finish_reason = text_or_empty(v);
      return true;
    });
    if (!fine) return false;
  }
  return true;
}

bool read_usage(od::value value, Delta& delta) {
  if (is_null(value)) return true;
  return each_member(value, [&](od::raw_json_string key, od::value v) {
    if (is(key, "prompt_tokens")) {
      delta.prompt_tokens = count(v, delta.bad_usage);
    } else if (is(key, "completion_tokens")) {
      delta.output_tokens = count(v, delta.bad_usage);
    } else if (is(key, "prompt_tokens_details") && !is_null(v)) {
      each_member(v, [&](od::raw_json_string name, od::value inner) {
        if (is(name, "cached_tokens")) delta.cached_tokens = count(inner, delta.bad_usage);
        return true;
      });
    } else if (is(key, "completion_tokens_details") && !is_null(v)) {
      each_member(v, [&](od::raw_json_string name, od::value inner) {
        if (is(name, "reasoning_tokens")) delta.reasoning_tokens = count(inner, delta.bad_usage);
        return true;
      });
    }
    return true;
  });
}

/// llama-server's own figures; other servers do not send them.
bool read_timings(od::value value, Delta& delta) {
  if (is_null(value)) return true;
  return each_member(value, [&](od::raw_json_string key, od::value v) {
    if (is(key, "cache_n")) delta.cached_tokens = count(v, delta.bad_usage);
    if (is(key, "prompt_n")) delta.engine.prompt_tokens = count(v, delta.bad_usage);
    if (is(key, "prompt_ms")) delta.engine.prefill_ms = amount(v);
    if (is(key, "predicted_n")) delta.engine.output_tokens = count(v, delta.bad_usage);
    if (is(key, "predicted_ms")) delta.engine.decode_ms = amount(v);
    return true;
  });
}

/// `{"message": …}`, or just a string.
void read_error(od::value value, Delta& delta) {
  if (is_null(value)) return;
  delta.has_error = true;
  od::json_type type{};
  if (!value.type().get(type) && type == od::json_type::string) {
    delta.error = text_or_empty(value);
    return;
  }
  each_member(value, [&](od::raw_json_string key, od::value v) {
    if (is(key, "message")) delta.error = text_or_empty(v);
    return true;
  });
}

}  // namespace

bool read_chat_message(od::value value, Delta& delta) {
  if (is_null(value)) return true;
  return each_member(value, [&](od::raw_json_string key, od::value v) {
    if (is(key, "content")) {
      delta.text = text_or_empty(v);
    } else if (is(key, "reasoning_content") || is(key, "reasoning") || is(key, "thinking")) {
      // Some servers send the same reasoning under two names: the first that has text counts.
      const std::string_view text = text_or_empty(v);
      if (delta.reasoning.empty()) delta.reasoning = text;
    } else if (is(key, "refusal")) {
      delta.refusal = text_or_empty(v);
    } else if (is(key, "tool_calls")) {
      read_tool_calls(v, delta);
    }
    return true;
  });
}

bool read_openai_member(od::raw_json_string key, od::value value, Delta& delta) {
  if (is(key, "choices")) return read_choices(value, delta);
  if (is(key, "usage")) return read_usage(value, delta);
  if (is(key, "timings")) return read_timings(value, delta);
  if (is(key, "error")) read_error(value, delta);
  return true;
}

}  // namespace assay
