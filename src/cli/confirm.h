#pragma once

#include <string>

#include "cli/command.h"

namespace assay {

/// Asks on a terminal; elsewhere only --yes will do.
bool confirmed(const Invocation& invocation, const std::string& question);

}  // namespace assay
