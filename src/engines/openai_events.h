#pragma once

#include "engines/delta.h"
#include "engines/json_reader.h"

namespace assay {

/// Reads a message, or a delta of one: its text, reasoning, refusal and tool calls. Ollama's has
/// the same members. False when it is damaged.
bool read_chat_message(simdjson::ondemand::value value, Delta& delta);

/// Reads one member of the outermost object of an OpenAI chunk, answer or error, with
/// llama-server's `timings`. False when it is damaged. Members that say nothing of an answer are
/// passed over.
bool read_openai_member(simdjson::ondemand::raw_json_string key, simdjson::ondemand::value value,
                        Delta& delta);

}  // namespace assay
