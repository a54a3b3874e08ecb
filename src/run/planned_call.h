#pragma once

#include <cstdint>
#include <optional>
#include <string>

#include "engines/tags.h"
#include "model/options.h"
#include "model/run.h"

namespace assay {

/// A record with everything that the plan says of a call.
CallRecord planned_record(const RunMeta& meta, int64_t index);

/// What is asked in it: the prompt, with its salt where it has one. No two runs salt alike.
std::string prompt_text(const RunMeta& meta, int64_t index);

/// What is asked to warm the model up for it. Where no two calls share a prefix this one does not
/// share its either; otherwise it is the same text. `nth` counts such calls.
std::string warming_text(const RunMeta& meta, int64_t index, int64_t nth);

/// What it says of itself to whoever watches the traffic; nothing without --tag-prefix.
std::optional<CallTags> tags_of(const CallRecord& record, const RunMeta& meta, const RunSpec& spec);

/// Whether its answer's text is to be kept: --save-responses, and what came of one under which the
/// engine died.
bool keeps_text(const CallRecord& record, const RunSpec& spec);

/// Of a call by a router that did not name what answered: source 004's name for that.
void name_backend(const Cell& cell, CallRecord& record);

}  // namespace assay
