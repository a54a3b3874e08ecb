#include "cli/completion.h"

#include <fmt/format.h>

#include <algorithm>
#include <optional>
#include <set>

#include "cli/command.h"
#include "cli/completion_values.h"

namespace assay {
namespace {

using Paths = Completion::Paths;

/// The flags that fit behind a command; behind none, those of the program.
std::vector<Flag> flags_of(const Command* command) {
  static RunSpec shape;  // Only its kinds are looked at.
  std::vector<Flag> flags;
  if (command != nullptr) flags = command->flags;
  for (const BoundOption& option : bind_options(shape)) {
    const bool fits =
        is_global_option(option.info.name) || (command != nullptr && command->takes_run_options);
    if (!fits) continue;
    flags.push_back({option.info.name, option.info.value, option.info.help, option.info.short_name,
                     option.kind == BoundOption::Kind::kList});
  }
  const auto& everywhere = global_flags();
  flags.insert(flags.end(), everywhere.begin(), everywhere.end());
  flags.push_back({"help", "", "how it is used", "h"});
  if (command == nullptr) flags.push_back({"version", "", "print the version", "V"});
  return flags;
}

/// The flag that a word such as `--color`, `--color=always` or `-o` names.
std::optional<Flag> find_flag(const std::vector<Flag>& flags, std::string_view word) {
  const bool is_long = word.starts_with("--");
  const std::string_view name = word.substr(0, word.find('=')).substr(is_long ? 2 : 1);
  for (const Flag& flag : flags) {
    const bool second_is_long = flag.short_name.size() > 1;
    if (name.empty()) continue;
    if (is_long && name == flag.name) return flag;
    if (name == flag.short_name && is_long == second_is_long) return flag;
  }
  return std::nullopt;
}

/// What the words before the last one mean.
struct Line {
  std::string path;
  const Command* command = nullptr;
  std::vector<Flag> flags;
  std::set<std::string_view> given;  ///< Names of flags.
  std::optional<Flag> awaiting;      ///< The flag whose value comes next.
  size_t arguments = 0;
  bool flags_are_over = false;  ///< Behind `--`.
};

const Command* find_command(std::string_view path) {
  const auto found = std::find_if(commands().begin(), commands().end(),
                                  [&](const Command& command) { return command.path == path; });
  return found == commands().end() ? nullptr : &*found;
}

/// Whether a command lies below this path.
bool leads_on(std::string_view path) {
  return std::any_of(commands().begin(), commands().end(), [&](const Command& command) {
    return command.path.starts_with(fmt::format("{} ", path));
  });
}

void take_word(Line& line, const std::string& word) {
  if (line.awaiting) {
    line.awaiting.reset();
    return;
  }
  if (!line.flags_are_over && word == "--") {
    line.flags_are_over = true;
    return;
  }
  if (!line.flags_are_over && word.size() > 1 && word[0] == '-') {
    const auto flag = find_flag(line.flags, word);
    if (!flag) return;
    if (!flag->repeated) line.given.insert(flag->name);
    if (!flag->value.empty() && word.find('=') == std::string::npos) line.awaiting = flag;
    return;
  }
  if (line.command == nullptr) {
    line.path += (line.path.empty() ? "" : " ") + word;
    line.command = find_command(line.path);
    line.flags = flags_of(line.command);
    return;
  }
  ++line.arguments;
}

Completion flags_that_fit(const Line& line) {
  Completion found;
  for (const Flag& flag : line.flags) {
    if (line.given.contains(flag.name)) continue;
    found.candidates.push_back({fmt::format("--{}", flag.name), std::string(flag.help)});
  }
  return found;
}

/// The commands, or the second words of a group of them.
Completion next_commands(const Line& line) {
  const std::string before = line.path.empty() ? "" : line.path + " ";
  Completion found;
  for (const Command& command : commands()) {
    if (!command.path.starts_with(before)) continue;
    const std::string_view rest = command.path.substr(before.size());
    const std::string_view word = rest.substr(0, rest.find(' '));
    const bool is_group = word.size() < rest.size();
    if (!found.candidates.empty() && found.candidates.back().word == word) {
      found.candidates.back().help += fmt::format(", {}", rest.substr(word.size() + 1));
    } else {
      const std::string_view help = is_group ? rest.substr(word.size() + 1) : command.summary;
      found.candidates.push_back({std::string(word), std::string(help)});
    }
  }
  return found;
}

Completion argument_values(const Line& line, std::string_view typed, const KeptNames& kept) {
  const auto& arguments = line.command->arguments;
  if (arguments.empty()) return {};
  const size_t index = std::min(line.arguments, arguments.size() - 1);
  const Argument& argument = arguments[index];
  if (line.arguments > index && !argument.repeated) return {};
  return values_of({line.command->path, argument.name, argument.name, typed}, kept);
}

Completion all_that_fit(const Line& line, std::string_view typed, const KeptNames& kept) {
  if (line.awaiting) {
    return values_of({line.path, line.awaiting->name, line.awaiting->value, typed}, kept);
  }
  if (!line.flags_are_over && typed.starts_with('-')) {
    const size_t equals = typed.find('=');
    if (equals == std::string_view::npos) return flags_that_fit(line);
    const auto flag = find_flag(line.flags, typed);
    if (!flag) return {};
    auto found = values_of({line.path, flag->name, flag->value, typed.substr(equals + 1)}, kept);
    for (Candidate& each : found.candidates) each.word.insert(0, typed.substr(0, equals + 1));
    return found;
  }
  if (line.command == nullptr) return next_commands(line);
  Completion found = argument_values(line, typed, kept);
  const bool nothing = found.candidates.empty() && found.paths == Paths::kNone;
  return nothing && typed.empty() ? flags_that_fit(line) : found;
}

}  // namespace

Completion complete(std::span<const std::string> words, const KeptNames& kept) {
  if (words.empty()) return {};
  Line line;
  line.flags = flags_of(nullptr);
  for (const std::string& word : words.first(words.size() - 1)) take_word(line, word);
  if (line.command == nullptr && !line.path.empty() && !leads_on(line.path)) return {};
  const std::string& typed = words.back();
  Completion found = all_that_fit(line, typed, kept);
  std::erase_if(found.candidates,
                [&](const Candidate& each) { return !each.word.starts_with(typed); });
  return found;
}

}  // namespace assay
