#pragma once

#include <cstdint>
#include <nlohmann/json_fwd.hpp>
#include <optional>
#include <string>
#include <vector>

#include "cli/command.h"
#include "cli/terminal.h"
#include "registry/memory_need.h"
#include "registry/same_weights.h"
#include "registry/scan.h"

namespace assay {

/// The registry and what it is shown with.
struct RegistryView {
  std::filesystem::path data_dir;
  DigestCache cache;
  Scan scan;
  std::vector<WeightsGroup> groups;
  std::vector<MemoryPool> pools;
  std::optional<int64_t> context_length;  ///< Asked for.
};

/// Scans the places of this invocation; the progress line is shown where there is a terminal.
Result<RegistryView> open_registry(const Invocation& invocation, ProgressLine& line);

/// `=1` for models of the first group of same weights, and so on; empty for those in none.
std::string group_mark(const RegistryView& view, size_t model);

nlohmann::ordered_json registry_json(const RegistryView& view);
nlohmann::ordered_json registered_model_json(const RegistryView& view, size_t model);

/// One line a model under each directory, at most 80 columns; reasons and marks are explained.
std::string registry_table(const RegistryView& view);
/// The groups of models with the same weights, a line each with their marks and names.
std::string weights_text(const RegistryView& view);
/// All that is known of one model, and why it is not measured.
std::string registered_model_text(const RegistryView& view, size_t model);

}  // namespace assay
