#pragma once

#include <string>
#include <vector>

#include "registry/registered_model.h"

namespace assay {

/// Why a model cannot be enabled, a sentence each: it has to be there and whole, and no part of
/// another model. Empty when it can.
std::vector<std::string> why_not_enabled(const RegisteredModel& model);

/// Why a model is not measured by `--all-models`: all of why_not_enabled(), that it generates no
/// text, and which of the three facts present, enabled and benchmark-enabled it lacks.
std::vector<std::string> why_not_eligible(const RegisteredModel& model);

/// Present, enabled, benchmark-enabled, and of a kind that can be measured.
bool is_eligible(const RegisteredModel& model);

}  // namespace assay
