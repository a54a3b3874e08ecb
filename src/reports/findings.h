#pragma once

#include <nlohmann/json_fwd.hpp>
#include <span>
#include <string>

#include "stats/rule_sets.h"

namespace assay {

/// What a rule set found, as it is in every JSON document.
nlohmann::ordered_json finding_document(const Finding& finding);

/// A section of Markdown, `## Against RUN`: regressions, wins, red flags, and what cannot be
/// compared, each a list or the word none. `base` names the run that was compared with.
std::string findings_markdown(std::string_view base, std::span<const Finding> findings);

}  // namespace assay
