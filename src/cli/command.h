#pragma once

#include <map>
#include <string>
#include <string_view>
#include <vector>

#include "model/options.h"
#include "run/config.h"

namespace assay {

/// A command's own flag, beside the options of model/options.h.
struct Flag {
  std::string_view name;
  std::string_view value;  ///< What stands for the value in help; empty for a switch.
  std::string_view help;
  std::string_view short_name = {};  ///< `o`, or empty.
  bool repeated = false;
};

/// A word behind the command.
struct Argument {
  std::string_view name;
  std::string_view help;
  bool required = true;
  bool repeated = false;
};

/// What a person asked for, parsed and merged with configuration and environment.
struct Invocation {
  RunSpec spec;
  Settings settings;  ///< Of every option that anything but its default set.
  std::map<std::string, std::vector<std::string>, std::less<>> flags;
  std::map<std::string, std::vector<std::string>, std::less<>> arguments;

  [[nodiscard]] bool has(std::string_view flag) const { return flags.contains(flag); }
  /// The flag's last value, or `otherwise`.
  [[nodiscard]] std::string value(std::string_view flag, std::string otherwise = {}) const;
  /// The argument's first value, or empty.
  [[nodiscard]] std::string argument(std::string_view name) const;
};

/// One line of the command tree: adding a command is a function and a line in the table.
struct Command {
  std::string_view path;  ///< `run`, `runs list`.
  std::string_view summary;
  int (*run)(Invocation&) = nullptr;
  std::vector<Flag> flags = {};
  std::vector<Argument> arguments = {};
  bool takes_run_options = false;
  std::vector<std::string_view> options = {};  ///< Of model/options.h, beside the global ones.
  /// Whether configuration and environment are merged in; faults in them then end it.
  bool reads_config = true;
};

const std::vector<Command>& commands();

/// Flags of the program itself, understood behind every command, beside is_global_option().
const std::vector<Flag>& global_flags();
/// Whether an option of model/options.h is understood behind every command.
bool is_global_option(std::string_view name);
/// Whether a command takes an option of model/options.h that is no global one.
bool takes_option(const Command& command, std::string_view name);

/// Parses the command line and runs the command; returns the exit code.
int run_command_line(int argc, char** argv);

// The commands, one file each.
int command_run(Invocation& invocation);
int command_resume(Invocation& invocation);
int command_runs_list(Invocation& invocation);
int command_runs_show(Invocation& invocation);
int command_runs_rm(Invocation& invocation);
int command_runs_mark(Invocation& invocation);
int command_runs_reindex(Invocation& invocation);
int command_targets_list(Invocation& invocation);
int command_targets_probe(Invocation& invocation);
int command_models_list(Invocation& invocation);
int command_models_scan(Invocation& invocation);
int command_models_show(Invocation& invocation);
int command_models_enable(Invocation& invocation);
int command_models_disable(Invocation& invocation);
int command_models_benchmark(Invocation& invocation);
int command_models_load(Invocation& invocation);
int command_models_unload(Invocation& invocation);
int command_models_reset(Invocation& invocation);
int command_models_ps(Invocation& invocation);
int command_suites_list(Invocation& invocation);
int command_suites_show(Invocation& invocation);
int command_report(Invocation& invocation);
int command_compare(Invocation& invocation);
int command_explain(Invocation& invocation);
int command_import(Invocation& invocation);
int command_publish(Invocation& invocation);
int command_doctor(Invocation& invocation);
int command_baseline_set(Invocation& invocation);
int command_baseline_list(Invocation& invocation);
int command_baseline_rm(Invocation& invocation);
int command_mock_server(Invocation& invocation);
int command_dummy_model(Invocation& invocation);
int command_sample(Invocation& invocation);
int command_config_show(Invocation& invocation);
int command_config_path(Invocation& invocation);
int command_config_init(Invocation& invocation);
int command_config_validate(Invocation& invocation);
int command_completion(Invocation& invocation);
int command_help(Invocation& invocation);

}  // namespace assay
