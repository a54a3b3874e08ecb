#include <fmt/format.h>

#include <CLI/CLI.hpp>
#include <algorithm>
#include <clocale>
#include <functional>

#include "base/text.h"
#include "cli/command.h"
#include "cli/exit_codes.h"
#include "cli/terminal.h"
#include "reports/layout.h"

namespace assay {
namespace {

std::string flag_names(std::string_view name, std::string_view short_name) {
  if (short_name.empty()) return fmt::format("--{}", name);
  return fmt::format("{}{},--{}", short_name.size() == 1 ? "-" : "--", short_name, name);
}

/// What CLI11 collected; the values are judged afterwards, by the option list.
struct Collected {
  std::map<std::string, std::vector<std::string>, std::less<>> options;
  std::map<std::string, std::vector<std::string>, std::less<>> flags;
  std::map<std::string, std::vector<std::string>, std::less<>> arguments;
};

constexpr size_t kHelpColumn = 34;
constexpr int kMostWords = 1000;

/// A description, broken where a terminal of 80 columns ends.
std::string described(std::string_view text) {
  return join(wrap(text, kConsoleWidth - kHelpColumn, 0), "\n");
}

void add_flag(CLI::App& app, const std::string& names, std::string_view value,
              std::string_view help, const std::string& group, bool repeated,
              std::vector<std::string>& into) {
  CLI::Option* option = nullptr;
  if (value.empty()) {
    option = app.add_flag_callback(
        names, [&into] { into = {"true"}; }, described(help));
  } else {
    option = app.add_option_function<std::vector<std::string>>(
        names, [&into](const std::vector<std::string>& values) { into = values; }, described(help));
    option->type_name(std::string(value))->allow_extra_args(false);
    option->multi_option_policy(repeated ? CLI::MultiOptionPolicy::TakeAll
                                         : CLI::MultiOptionPolicy::TakeLast);
    if (!repeated) option->expected(1);
  }
  option->group(group);
}

void add_options(CLI::App& app, const std::function<bool(std::string_view)>& takes,
                 Collected& collected) {
  static RunSpec shape;  // Only its kinds are looked at.
  for (const BoundOption& option : bind_options(shape)) {
    if (!takes(option.info.name)) continue;
    const std::string value =
        fmt::format("{}{}", option.info.value, option.info.lists ? "[,...]" : "");
    add_flag(app, flag_names(option.info.name, option.info.short_name), value, option.info.help,
             std::string(option.info.group), option.kind == BoundOption::Kind::kList,
             collected.options[std::string(option.info.name)]);
  }
}

CLI::App* find_or_add(CLI::App& root, std::string_view path, std::string_view summary) {
  CLI::App* at = &root;
  const auto words = split(path, ' ');
  for (size_t i = 0; i < words.size(); ++i) {
    CLI::App* next = nullptr;
    for (CLI::App* sub : at->get_subcommands({})) {
      if (sub->get_name() == words[i]) next = sub;
    }
    const bool last = i + 1 == words.size();
    if (next == nullptr) {
      next = at->add_subcommand(words[i], last ? std::string(summary) : "");
      next->fallthrough();
      if (!last) next->require_subcommand(1);
    }
    // A group of commands is described by their names.
    if (!last) {
      const std::string& known = next->get_description();
      next->description(known.empty() ? words[i + 1] : known + " | " + words[i + 1]);
    }
    at = next;
  }
  return at;
}

std::vector<std::string> known_names(const CLI::App& app) {
  std::vector<std::string> names;
  for (const CLI::App* level = &app; level != nullptr; level = level->get_parent()) {
    for (const CLI::Option* option : level->get_options()) {
      for (const std::string& name : option->get_lnames()) names.push_back("--" + name);
    }
  }
  return names;
}

/// The words that are neither options nor their values.
std::vector<std::string> positionals(const CLI::App& root, const std::vector<std::string>& words) {
  std::vector<std::string> found;
  const CLI::App* at = &root;
  for (size_t i = 0; i < words.size(); ++i) {
    const std::string& word = words[i];
    if (word.empty() || word[0] != '-') {
      found.push_back(word);
      for (const CLI::App* sub : at->get_subcommands([](const CLI::App*) { return true; })) {
        if (sub->get_name() == word) at = sub;
      }
      continue;
    }
    const CLI::Option* option = nullptr;
    for (const CLI::App* a = at; a != nullptr && option == nullptr; a = a->get_parent()) {
      option = a->get_option_no_throw(word);
    }
    if (option != nullptr && option->get_items_expected_max() > 0) ++i;
  }
  return found;
}

/// The innermost subcommand that the words on the command line name.
const CLI::App& deepest(const CLI::App& root, const std::vector<std::string>& words) {
  const CLI::App* at = &root;
  for (const std::string& word : words) {
    for (const CLI::App* sub : at->get_subcommands([](const CLI::App*) { return true; })) {
      if (sub->get_name() == word) {
        at = sub;
        break;
      }
    }
  }
  return *at;
}

Error usage_error(const CLI::App& root, const CLI::ParseError& parse_error,
                  const std::vector<std::string>& words) {
  const std::vector<std::string> plain = positionals(root, words);
  const CLI::App& at = deepest(root, plain);
  std::vector<std::string> names = known_names(at);
  std::vector<std::string> commands_here;
  for (const CLI::App* sub : at.get_subcommands([](const CLI::App*) { return true; })) {
    commands_here.push_back(sub->get_name());
  }
  std::string usage = "assay";
  for (const CLI::App* a = &at; a->get_parent() != nullptr; a = a->get_parent()) {
    usage.insert(5, " " + a->get_name());
  }
  // CLI11 does not say which word it stumbled over in a form worth showing: find it again.
  for (const std::string& word : words) {
    if (word.size() > 2 && word.rfind("--", 0) == 0) {
      const std::string name = word.substr(0, word.find('='));
      if (std::find(names.begin(), names.end(), name) != names.end()) continue;
      const std::string near = did_you_mean(name, names);
      return Error(Errc::kInvalidArgument, fmt::format("unknown option {}", printable(name, 80)),
                   near.empty() ? fmt::format("'{} --help' lists the options", usage)
                                : fmt::format("did you mean {}?", near));
    }
  }
  if (!commands_here.empty()) {
    for (const std::string& word : plain) {
      if (usage.find(" " + word) != std::string::npos) continue;  // A command above.
      const std::string near = did_you_mean(word, commands_here);
      return Error(Errc::kInvalidArgument, fmt::format("unknown command '{}'", printable(word, 60)),
                   near.empty() ? fmt::format("'{} --help' lists the commands", usage)
                                : fmt::format("did you mean {}?", near));
    }
    return Error(Errc::kInvalidArgument, fmt::format("'{}' needs a command", usage),
                 fmt::format("one of {}", join(commands_here, ", ")));
  }
  return Error(Errc::kInvalidArgument, parse_error.what(),
               fmt::format("'{} --help' shows how it is used", usage));
}

/// Files, environment and flags, weakest first.
bool merge(Invocation& invocation, const Collected& collected, bool needs_config) {
  std::vector<std::string> faults;
  std::optional<std::filesystem::path> only;
  if (invocation.has("no-config")) only = std::filesystem::path();
  if (invocation.has("config")) only = invocation.value("config");
  if (needs_config) invocation.settings = read_settings(only, faults);
  for (const auto& [name, values] : collected.options) {
    if (!values.empty()) invocation.settings[name] = SettingValue{values, "--" + name};
  }
  apply_settings(invocation.settings, invocation.spec, faults);
  if (faults.empty()) return true;
  print_error(Error(Errc::kInvalidArgument, join(faults, "\n")));
  return false;
}

}  // namespace

std::string Invocation::value(std::string_view flag, std::string otherwise) const {
  const auto found = flags.find(flag);
  return found == flags.end() || found->second.empty() ? otherwise : found->second.back();
}

std::string Invocation::argument(std::string_view name) const {
  const auto found = arguments.find(name);
  return found == arguments.end() || found->second.empty() ? std::string() : found->second.front();
}

int run_command_line(int argc, char** argv) {
  std::setlocale(LC_CTYPE, "");
  CLI::App root("Measures how fast and how good language models are where they run.", "assay");
  root.set_version_flag("-V,--version", "assay " ASSAY_VERSION);
  root.require_subcommand(1);
  root.get_formatter()->column_width(kHelpColumn);
  root.get_formatter()->label("REQUIRED", "");
  std::vector<Collected> collected(commands().size() + 1);
  Collected& global = collected.back();
  add_options(root, is_global_option, global);
  for (const Flag& flag : global_flags()) {
    add_flag(root, flag_names(flag.name, flag.short_name), flag.value, flag.help, "output",
             flag.repeated, global.flags[std::string(flag.name)]);
  }

  std::vector<CLI::App*> apps;
  for (size_t i = 0; i < commands().size(); ++i) {
    const Command& command = commands()[i];
    CLI::App* app = find_or_add(root, command.path, command.summary);
    apps.push_back(app);
    const auto takes = [&](std::string_view option) { return takes_option(command, option); };
    add_options(*app, takes, collected[i]);
    for (const Flag& flag : command.flags) {
      add_flag(*app, flag_names(flag.name, flag.short_name), flag.value, flag.help, "options",
               flag.repeated, collected[i].flags[std::string(flag.name)]);
    }
    for (const Argument& argument : command.arguments) {
      auto& into = collected[i].arguments[std::string(argument.name)];
      CLI::Option* option =
          app->add_option(std::string(argument.name), into, described(argument.help));
      option->type_name("")->required(argument.required);
      // Without this the first of two words would take both.
      if (argument.repeated) {
        option->expected(1, kMostWords);
      } else {
        option->expected(1)->allow_extra_args(false);
      }
    }
  }
  const std::vector<std::string> words(argv + 1, argv + argc);
  try {
    root.parse(argc, argv);
  } catch (const CLI::Success& e) {
    return root.exit(e);
  } catch (const CLI::ParseError& e) {
    print_error(usage_error(root, e, words));
    return exit_code::kUsage;
  }
  for (size_t i = 0; i < apps.size(); ++i) {
    if (!apps[i]->parsed()) continue;
    Invocation invocation;
    invocation.arguments = collected[i].arguments;
    for (const Collected* from : {&global, &collected[i]}) {
      for (const auto& [name, values] : from->flags) {
        if (!values.empty()) invocation.flags[name] = values;
      }
    }
    Collected all = global;
    all.options.insert(collected[i].options.begin(), collected[i].options.end());
    if (!merge(invocation, all, commands()[i].reads_config)) return exit_code::kUsage;
    return commands()[i].run(invocation);
  }
  return exit_code::kUsage;
}

}  // namespace assay
