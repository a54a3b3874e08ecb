#pragma once

#include <filesystem>
#include <map>
#include <string>
#include <vector>

#include "base/result.h"
#include "model/options.h"

namespace assay {

/// A value with the place it came from: `assay.yaml:3`, `ASSAY_BUDGET`, `--budget`.
struct SettingValue {
  std::vector<std::string> values;
  std::string origin;
};

/// Settings by option name; a later layer replaces what an earlier one said.
using Settings = std::map<std::string, SettingValue>;

/// The configuration files that apply here, weakest first: /etc/assay/config.yaml,
/// $XDG_CONFIG_HOME/assay/config.yaml, assay.yaml in this or the nearest parent directory.
std::vector<std::filesystem::path> config_files();

/// Reads one file into `settings`. Every fault is one line `file:line: what`.
void read_config_file(const std::filesystem::path& path, Settings& settings,
                      std::vector<std::string>& faults);

/// Reads the files, then the environment's ASSAY_*. With `only` that file alone is read; an empty
/// one means none.
Settings read_settings(const std::optional<std::filesystem::path>& only,
                       std::vector<std::string>& faults);

/// Puts the settings into a RunSpec; values that do not fit are faults.
void apply_settings(const Settings& settings, RunSpec& spec, std::vector<std::string>& faults);

/// check_spec() with the place of what is at fault in front of each fault, where that is a file or
/// the environment: `assay.yaml:3: --restarts must be between 1 and 100`.
std::vector<std::string> check_settings(const RunSpec& spec, const Settings& settings);

/// A configuration file with every option, its default and its meaning, all commented out.
std::string config_template();

}  // namespace assay
