#include <fmt/format.h>

#include <filesystem>
#include <nlohmann/json.hpp>

#include "base/files.h"
#include "base/text.h"
#include "cli/command.h"
#include "cli/exit_codes.h"
#include "cli/show_run.h"

namespace assay {

int command_config_show(Invocation& invocation) {
  nlohmann::ordered_json json = nlohmann::ordered_json::object();
  for (const BoundOption& option : bind_options(invocation.spec)) {
    const std::string name(option.info.name);
    const auto found = invocation.settings.find(name);
    const std::string origin =
        found == invocation.settings.end() ? "default" : found->second.origin;
    const auto values = option.get();
    json[name] = {{"value", values}, {"origin", origin}};
    if (invocation.spec.json) continue;
    const std::string value = values.empty() ? "-" : printable(join(values, ", "), 60);
    if (invocation.has("origin")) {
      fmt::print("{:<20} {:<24} {}\n", name, value, origin);
    } else {
      fmt::print("{:<20} {}\n", name, value);
    }
  }
  if (invocation.spec.json) {
    fmt::print("{}\n", json.dump(2, ' ', false, nlohmann::ordered_json::error_handler_t::replace));
  }
  return exit_code::kDone;
}

int command_config_path(Invocation&) {
  const auto files = config_files();
  for (const auto& path : files) fmt::print("{}\n", path.string());
  if (files.empty())
    fmt::print(stderr, "no configuration file applies here: 'assay config init' writes one\n");
  return exit_code::kDone;
}

int command_config_init(Invocation&) {
  const std::filesystem::path path = "assay.yaml";
  std::error_code error;
  if (std::filesystem::exists(path, error)) {
    return report_failure(
        Error(Errc::kConflict, "assay.yaml is there already", "'assay config validate' checks it"));
  }
  if (auto written = write_file_atomic(path, config_template()); !written) {
    return report_failure(written.error());
  }
  fmt::print("Wrote assay.yaml: every option, commented out\n");
  return exit_code::kDone;
}

int command_config_validate(Invocation& invocation) {
  std::vector<std::filesystem::path> files;
  for (const std::string& file : invocation.arguments.find("FILE")->second)
    files.emplace_back(file);
  if (files.empty() && invocation.has("config")) files.emplace_back(invocation.value("config"));
  if (files.empty() && !invocation.has("no-config")) files = config_files();
  std::vector<std::string> faults;
  Settings settings;
  for (const auto& path : files) read_config_file(path, settings, faults);
  if (faults.empty()) {
    RunSpec spec;
    apply_settings(settings, spec, faults);
    if (faults.empty()) faults = check_settings(spec, settings);
  }
  if (!faults.empty()) {
    print_error(Error(Errc::kInvalidArgument, join(faults, "\n")));
    return exit_code::kUsage;
  }
  fmt::print("{} file{} checked, no fault\n", files.size(), files.size() == 1 ? "" : "s");
  return exit_code::kDone;
}

}  // namespace assay
