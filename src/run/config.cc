#include "run/config.h"

#include <fmt/format.h>
#include <yaml-cpp/yaml.h>

#include <algorithm>
#include <cctype>
#include <cstdlib>
#include <nlohmann/json.hpp>

#include "base/files.h"
#include "base/text.h"
#include "run/notify.h"

namespace assay {
namespace {

namespace fs = std::filesystem;

constexpr int64_t kMaxConfigBytes = 1 << 20;

bool is_path(std::string_view option) {
  return option == "gguf" || option == "api-key-file" || option == "data-dir" ||
         option == "cells-yaml" || option == "prompts-yaml" || option == "models-dir";
}

/// Relative to the file that names it; `~/` is the home directory.
std::string resolved(const std::string& text, const fs::path& file) {
  const char* home = std::getenv("HOME");
  const bool in_home = text.starts_with("~/") && home != nullptr && *home != '\0';
  const fs::path path = in_home ? fs::path(home) / text.substr(2) : file.parent_path() / text;
  return path.lexically_normal().string();
}

std::vector<std::string> option_names() {
  RunSpec spec;
  std::vector<std::string> names;
  for (const BoundOption& option : bind_options(spec)) names.emplace_back(option.info.name);
  return names;
}

/// A second long name, such as `retest`, means its option here as on the command line.
std::string full_name(std::string name) {
  RunSpec spec;
  for (const BoundOption& option : bind_options(spec)) {
    if (option.info.short_name.size() > 1 && option.info.short_name == name) {
      return std::string(option.info.name);
    }
  }
  return name;
}

std::string variable_of(std::string_view name) {
  std::string variable = "ASSAY_";
  for (const char c : name) {
    variable += c == '-' ? '_' : static_cast<char>(std::toupper(static_cast<unsigned char>(c)));
  }
  return variable;
}

/// The variable of an option that is set, by its name or its second long one; null for none.
const char* value_in_environment(const OptionInfo& info, std::string& variable) {
  for (const std::string_view name : {info.name, info.short_name}) {
    if (name.size() < 2) continue;
    variable = variable_of(name);
    const char* value = std::getenv(variable.c_str());
    if (value != nullptr && *value != '\0') return value;
  }
  return nullptr;
}

/// Hooks are mappings in the file and JSON everywhere else; all their values are texts.
nlohmann::json as_json(const YAML::Node& node) {
  nlohmann::json json;
  if (node.IsScalar()) json = node.Scalar();
  if (node.IsSequence()) {
    json = nlohmann::json::array();
    for (const auto& item : node) json.push_back(as_json(item));
  }
  if (node.IsMap()) {
    json = nlohmann::json::object();
    for (const auto& entry : node) json[entry.first.as<std::string>()] = as_json(entry.second);
  }
  return json;
}

/// The options that a fault names as flags, each once: `--restarts` is `restarts`.
std::vector<std::string> named_options(std::string_view fault) {
  constexpr std::string_view kNameChars = "abcdefghijklmnopqrstuvwxyz-";
  std::vector<std::string> names;
  for (size_t at = fault.find("--"); at != std::string_view::npos; at = fault.find("--", at)) {
    at += 2;
    const size_t end = std::min(fault.find_first_not_of(kNameChars, at), fault.size());
    std::string name(fault.substr(at, end - at));
    if (std::find(names.begin(), names.end(), name) == names.end()) names.push_back(name);
    at = end;
  }
  return names;
}

void read_entry(const fs::path& path, const YAML::Node& key, const YAML::Node& value,
                Settings& settings, std::vector<std::string>& faults) {
  const auto line = key.Mark().line + 1;
  const auto fault = [&](const std::string& what) {
    faults.push_back(fmt::format("{}:{}: {}", path.string(), line, what));
  };
  std::string name = key.as<std::string>();
  for (char& c : name) {
    if (c == '_') c = '-';
  }
  name = full_name(std::move(name));
  const auto names = option_names();
  if (std::find(names.begin(), names.end(), name) == names.end()) {
    const std::string near = did_you_mean(name, names);
    return fault(fmt::format("unknown option '{}'{}", printable(name, 60),
                             near.empty() ? "" : fmt::format(", did you mean {}?", near)));
  }
  std::vector<std::string> values;
  if (value.IsSequence()) {
    for (const auto& item : value) {
      if (name == "notify") {
        values.push_back(as_json(item).dump());
        if (auto hook = parse_hook(values.back()); !hook) return fault(hook.error().message);
        continue;
      }
      if (!item.IsScalar()) return fault(fmt::format("{} holds something that is no value", name));
      values.push_back(item.as<std::string>());
    }
  } else if (value.IsScalar()) {
    values.push_back(value.as<std::string>());
  } else {
    return fault(fmt::format("{} has no value", name));
  }
  if (is_path(name)) {
    for (std::string& text : values) {
      if (!text.empty()) text = resolved(text, path);
    }
  }
  RunSpec trial;
  for (const BoundOption& option : bind_options(trial)) {
    if (option.info.name != name) continue;
    if (auto set = option.set(values); !set) return fault(name + ": " + set.error().message);
  }
  settings[name] = SettingValue{values, fmt::format("{}:{}", path.string(), line)};
}

}  // namespace

std::vector<fs::path> config_files() {
  std::vector<fs::path> files;
  std::error_code error;
  const auto add = [&](const fs::path& path) {
    if (fs::is_regular_file(path, error)) files.push_back(path);
  };
  add("/etc/assay/config.yaml");
  const char* xdg = std::getenv("XDG_CONFIG_HOME");
  const char* home = std::getenv("HOME");
  if (xdg != nullptr && *xdg == '/') {
    add(fs::path(xdg) / "assay/config.yaml");
  } else if (home != nullptr && *home != '\0') {
    add(fs::path(home) / ".config/assay/config.yaml");
  }
  for (fs::path at = fs::current_path(error); !error; at = at.parent_path()) {
    if (fs::is_regular_file(at / "assay.yaml", error)) {
      files.push_back(at / "assay.yaml");
      break;
    }
    if (at == at.root_path()) break;
  }
  return files;
}

void read_config_file(const fs::path& path, Settings& settings, std::vector<std::string>& faults) {
  const auto text = read_file(path, kMaxConfigBytes);
  if (!text) {
    faults.push_back(text.error().message);
    return;
  }
  try {
    const YAML::Node root = YAML::Load(*text);
    if (root.IsNull()) return;
    if (!root.IsMap()) {
      faults.push_back(fmt::format("{}:1: the file is no mapping of options", path.string()));
      return;
    }
    for (const auto& entry : root) read_entry(path, entry.first, entry.second, settings, faults);
  } catch (const YAML::Exception& e) {
    faults.push_back(fmt::format("{}:{}: {}", path.string(), e.mark.line + 1, e.msg));
  }
}

Settings read_settings(const std::optional<fs::path>& only, std::vector<std::string>& faults) {
  Settings settings;
  if (!only) {
    for (const fs::path& path : config_files()) read_config_file(path, settings, faults);
  } else if (!only->empty()) {
    read_config_file(*only, settings, faults);
  }
  RunSpec trial;
  for (const BoundOption& option : bind_options(trial)) {
    std::string variable;
    const char* value = value_in_environment(option.info, variable);
    if (value == nullptr) continue;
    std::vector<std::string> values{value};
    if (option.kind == BoundOption::Kind::kList) values = split(value, ',');
    if (auto set = option.set(values); !set) {
      faults.push_back(fmt::format("{}: {}", variable, set.error().message));
      continue;
    }
    settings[std::string(option.info.name)] = SettingValue{values, variable};
  }
  return settings;
}

void apply_settings(const Settings& settings, RunSpec& spec, std::vector<std::string>& faults) {
  for (const BoundOption& option : bind_options(spec)) {
    const auto found = settings.find(std::string(option.info.name));
    if (found == settings.end()) continue;
    if (auto set = option.set(found->second.values); !set) {
      faults.push_back(fmt::format("{}: {}", found->second.origin, set.error().message));
    }
  }
}

std::vector<std::string> check_settings(const RunSpec& spec, const Settings& settings) {
  std::vector<std::string> faults = check_spec(spec);
  for (std::string& fault : faults) {
    std::vector<std::string> origins;
    for (const std::string& name : named_options(fault)) {
      const auto found = settings.find(name);
      if (found == settings.end() || found->second.origin == "--" + name) continue;
      origins.push_back(found->second.origin);
    }
    if (!origins.empty()) fault = fmt::format("{}: {}", join(origins, ", "), fault);
  }
  return faults;
}

std::string config_template() {
  std::string text =
      "# Configuration of assay. A flag beats the environment (ASSAY_BUDGET for budget), which\n"
      "# beats this file. Relative paths are relative to this file.\n";
  RunSpec defaults;
  std::string_view group;
  for (const BoundOption& option : bind_options(defaults)) {
    if (option.info.group != group) text += fmt::format("\n# -- {} --\n", option.info.group);
    group = option.info.group;
    const auto values = option.get();
    std::string shown = values.empty() ? "" : values[0];
    if (option.kind == BoundOption::Kind::kList) shown = "[]";
    if (shown.empty()) shown = "\"\"";
    const bool choices = option.info.value.find('|') != std::string_view::npos;
    text +=
        fmt::format("# {}{}\n# {}: {}\n", option.info.help,
                    choices ? fmt::format(": {}", option.info.value) : "", option.info.name, shown);
  }
  return text;
}

}  // namespace assay
