#pragma once

#include <vector>

#include "model/load_settings.h"

namespace assay {

/// How a model came to be loaded.
struct LoadHistory {
  LaunchSettings requested;
  LaunchSettings effective;
  std::vector<LoadAttempt> attempts;
};

}  // namespace assay
