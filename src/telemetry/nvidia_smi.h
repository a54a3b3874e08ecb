#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "model/telemetry.h"

namespace assay {

/// The arguments behind `nvidia-smi` for what parse_nvidia_smi reads.
std::vector<std::string> nvidia_smi_arguments(const std::string& program);

struct SmiCard {
  std::string name;
  GpuSample sample;
};

/// One card a line, in the order asked for; `[N/A]` and what is no number is absent. At most 16.
std::vector<SmiCard> parse_nvidia_smi(std::string_view csv);

}  // namespace assay
