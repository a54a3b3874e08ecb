#include "run/suites.h"

#include <fmt/format.h>
#include <yaml-cpp/yaml.h>

#include <filesystem>
#include <nlohmann/json.hpp>
#include <set>

#include "base/files.h"
#include "base/ids.h"
#include "base/text.h"
#include "run/file_faults.h"

namespace assay {
namespace {

using Json = nlohmann::json;

constexpr int64_t kMaxFileBytes = 64 << 20;
constexpr size_t kShortHash = 12;

const Suite& frozen_prompts();

/// Why a prompt that takes a frozen one's id is not that prompt, or empty.
std::string changes_frozen(Prompt& prompt) {
  for (const Prompt& frozen : frozen_prompts().prompts) {
    if (frozen.id != prompt.id) continue;
    if (!prompt.max_tokens) prompt.max_tokens = frozen.max_tokens;
    prompt.frozen = true;
    if (frozen.sha256 != prompt.sha256) {
      return fmt::format(
          "{} is frozen and has sha256 {}, this text has {}: give it a new id, such as P-NEW1",
          prompt.id, frozen.sha256.substr(0, kShortHash), prompt.sha256.substr(0, kShortHash));
    }
    if (frozen.max_tokens != prompt.max_tokens) {
      return fmt::format("{} is frozen with max_tokens {}: give yours a new id, such as P-NEW1",
                         prompt.id, *frozen.max_tokens);
    }
  }
  return {};
}

void add_prompt(Suite& suite, FileFaults& faults, int64_t line, const std::string& id,
                const std::string& text, std::optional<int64_t> max_tokens) {
  if (trim(text).empty()) return faults.add(line, "the prompt is empty");
  if (id.empty() || id.size() > 200) return faults.add(line, "the id is empty or above 200 bytes");
  for (const Prompt& known : suite.prompts) {
    if (known.id == id)
      return faults.add(line, fmt::format("the id '{}' is there twice", printable(id)));
  }
  if (max_tokens && *max_tokens < 1) return faults.add(line, "max_tokens is below 1");
  Prompt prompt = make_prompt(id, text);
  prompt.max_tokens = max_tokens;
  if (std::string change = changes_frozen(prompt); !change.empty()) return faults.add(line, change);
  suite.prompts.push_back(std::move(prompt));
}

void read_yaml(Suite& suite, FileFaults& faults, const std::string& text) {
  try {
    const YAML::Node root = YAML::Load(text);
    if (!root.IsMap()) return faults.add(1, "the file is no mapping of ids to prompts");
    for (const auto& entry : root) {
      const int64_t line = entry.first.Mark().line + 1;
      const auto id = entry.first.as<std::string>();
      if (!entry.second.IsMap() || !entry.second["prompt"]) {
        faults.add(line, fmt::format("'{}' has no prompt", printable(id)));
        continue;
      }
      for (const auto& member : entry.second) {
        const auto key = member.first.as<std::string>();
        if (key == "prompt" || key == "max_tokens" || key == "intent") continue;
        faults.add(member.first.Mark().line + 1,
                   fmt::format("unknown key '{}'; keys are prompt, max_tokens and intent",
                               printable(key, 60)));
      }
      std::string prompt = entry.second["prompt"].as<std::string>();
      // A block scalar ends with a line end that is no part of the prompt.
      while (!prompt.empty() && prompt.back() == '\n') prompt.pop_back();
      std::optional<int64_t> limit;
      if (entry.second["max_tokens"]) limit = entry.second["max_tokens"].as<int64_t>();
      add_prompt(suite, faults, line, id, prompt, limit);
    }
  } catch (const YAML::Exception& e) {
    faults.add(e.mark.line + 1, e.msg);
  }
}

void read_object(Suite& suite, FileFaults& faults, int64_t line, const Json& item) {
  if (!item.is_object()) return faults.add(line, "this is no JSON object");
  const char* key = item.contains("prompt") ? "prompt" : "question";
  if (!item.contains(key) || !item[key].is_string()) {
    return faults.add(line, "there is no text under prompt or question");
  }
  std::string id = fmt::format("{}", suite.prompts.size() + 1);
  if (item.contains("id"))
    id = item["id"].is_string() ? item["id"].get<std::string>() : item["id"].dump();
  std::optional<int64_t> limit;
  if (item.contains("max_tokens") && !item["max_tokens"].is_null()) {
    if (!item["max_tokens"].is_number_integer())
      return faults.add(line, "max_tokens is no whole number");
    limit = item["max_tokens"].get<int64_t>();
  }
  add_prompt(suite, faults, line, id, item[key].get<std::string>(), limit);
}

void read_lines(Suite& suite, FileFaults& faults, const std::string& text, bool json) {
  int64_t number = 0;
  for (const std::string& line : split(text, '\n')) {
    ++number;
    if (line.empty()) continue;
    if (!json) {
      add_prompt(suite, faults, number, fmt::format("{}", number), line, std::nullopt);
      continue;
    }
    const Json item = Json::parse(line, nullptr, false);
    if (item.is_discarded()) {
      faults.add(number, "this is no JSON");
    } else {
      read_object(suite, faults, number, item);
    }
  }
}

void set_revision(Suite& suite) {
  std::string all;
  for (const Prompt& p : suite.prompts) {
    all += fmt::format("{}\n{}\n{}\n", p.id, p.sha256, p.max_tokens.value_or(0));
  }
  suite.revision = sha256_hex(all).substr(0, 12);
}

Suite frozen_baseline() {
  Suite suite;
  suite.name = "baseline";
  suite.summary = "P-EASY, P-MEDIUM, P-HARD: 1 cold and 5 warm calls each; frozen";
  suite.frozen = true;
  suite.cold_and_warm = true;
  const auto add = [&](const char* id, const char* text, int64_t limit) {
    Prompt prompt = make_prompt(id, text);
    prompt.max_tokens = limit;
    prompt.frozen = true;
    suite.prompts.push_back(std::move(prompt));
  };
  add("P-EASY", "hi", 64);
  add("P-MEDIUM", "Explain in 4 sentences why the sky appears blue at noon.", 512);
  add("P-HARD",
      "Write a 200-word story about a fisherman who discovers a coin from a sunken empire.", 1024);
  set_revision(suite);
  return suite;
}

const Suite& frozen_prompts() {
  static const Suite suite = frozen_baseline();
  return suite;
}

Suite smoke() {
  Suite suite;
  suite.name = "smoke";
  suite.summary = "one short prompt: does it answer at all?";
  Prompt prompt = make_prompt("P-EASY", "hi");
  prompt.max_tokens = 64;
  suite.prompts.push_back(std::move(prompt));
  set_revision(suite);
  return suite;
}

}  // namespace

Prompt make_prompt(std::string id, std::string text) {
  Prompt prompt;
  prompt.id = std::move(id);
  prompt.sha256 = sha256_hex(text);
  prompt.text = std::move(text);
  return prompt;
}

const std::vector<Suite>& builtin_suites() {
  static const std::vector<Suite> suites = [] {
    Suite speed;
    speed.name = "speed";
    speed.summary = "tg128, pp512, tg128@d4096 within a time budget (the default)";
    speed.revision = "1";
    return std::vector<Suite>{speed, frozen_prompts(), smoke()};
  }();
  return suites;
}

Result<Suite> load_baseline_suite(const std::string& prompts_file) {
  if (prompts_file.empty()) return frozen_prompts();
  auto suite = load_suite(prompts_file);
  if (suite) suite->cold_and_warm = true;
  return suite;
}

Result<Suite> load_suite(const std::string& name_or_file) {
  std::vector<std::string> names;
  for (const Suite& suite : builtin_suites()) {
    if (suite.name == name_or_file) return suite;
    names.push_back(suite.name);
  }
  const std::filesystem::path path(name_or_file);
  const std::string extension = to_lower(path.extension().string());
  std::error_code error;
  if (!std::filesystem::exists(path, error)) {
    const std::string near = did_you_mean(name_or_file, names);
    return fail(Errc::kNotFound,
                fmt::format("there is no suite or file '{}'", printable(name_or_file)),
                near.empty() ? "'assay suites list' shows the suites"
                             : fmt::format("did you mean {}?", near));
  }
  auto text = read_file(path, kMaxFileBytes);
  if (!text) return fail(text.error());
  if (!is_valid_utf8(*text)) {
    return fail(Errc::kInvalidArgument, fmt::format("{} is not UTF-8", name_or_file));
  }
  Suite suite;
  suite.name = path.stem().string();
  FileFaults faults{name_or_file, {}};
  if (extension == ".yaml" || extension == ".yml") {
    read_yaml(suite, faults, *text);
  } else if (extension == ".json") {
    const Json list = Json::parse(*text, nullptr, false);
    if (!list.is_array()) faults.add(1, "the file is no JSON array");
    if (list.is_array()) {
      for (const Json& item : list) read_object(suite, faults, 1, item);
    }
  } else if (extension == ".jsonl" || extension == ".txt") {
    read_lines(suite, faults, *text, extension == ".jsonl");
  } else {
    return fail(Errc::kInvalidArgument, fmt::format("{} is no prompt file", name_or_file),
                "prompt files end in .yaml, .json, .jsonl or .txt");
  }
  if (faults.lines.empty() && suite.prompts.empty()) faults.add(1, "the file holds no prompt");
  if (!faults.lines.empty()) return fail(Errc::kInvalidArgument, join(faults.lines, "\n"));
  set_revision(suite);
  return suite;
}

}  // namespace assay
