#include "mock/options.h"

#include <fmt/format.h>

#include <nlohmann/json.hpp>
#include <utility>

#include "base/files.h"
#include "base/text.h"

namespace assay {

namespace {

template <class T>
struct Word {
  std::string_view text;
  T value;
};

template <class T, size_t N>
Result<T> parse_word(std::string_view flag, std::string_view text, const Word<T> (&words)[N]) {
  std::vector<std::string> names;
  for (const auto& word : words) {
    if (word.text == text) return word.value;
    names.emplace_back(word.text);
  }
  return fail(Errc::kInvalidArgument,
              fmt::format("{}: `{}` is not one of {}", flag, printable(text), join(names, ", ")));
}

constexpr Word<GapDistribution> kDistributions[] = {{"constant", GapDistribution::kConstant},
                                                    {"normal", GapDistribution::kNormal},
                                                    {"lognormal", GapDistribution::kLognormal},
                                                    {"list", GapDistribution::kList}};
constexpr Word<RoleMode> kRoles[] = {
    {"early", RoleMode::kEarly}, {"with-first", RoleMode::kWithFirst}, {"none", RoleMode::kNone}};
constexpr Word<ReasoningStyle> kStyles[] = {{"field", ReasoningStyle::kField},
                                            {"tags", ReasoningStyle::kTags}};
constexpr Word<Flavor> kFlavors[] = {{"openai", Flavor::kOpenAi},
                                     {"llamacpp", Flavor::kLlamaCpp},
                                     {"llamacpp-router", Flavor::kRouter},
                                     {"ollama", Flavor::kOllama},
                                     {"lmstudio", Flavor::kLmStudio},
                                     {"lmstudio-v0", Flavor::kLmStudioV0},
                                     {"vllm", Flavor::kVllm},
                                     {"all", Flavor::kAll}};

using Json = nlohmann::json;

Result<void> add_answer(std::map<std::string, std::string>& answers, const Json& prompt,
                        const Json& answer, std::string_view where) {
  if (!prompt.is_string() || !answer.is_string()) {
    return fail(Errc::kInvalidArgument,
                fmt::format("--script: {}: prompt and answer must be texts", where));
  }
  answers[prompt.get<std::string>()] = answer.get<std::string>();
  return {};
}

}  // namespace

Result<GapDistribution> parse_gap_distribution(std::string_view text) {
  return parse_word("--gap-dist", text, kDistributions);
}
Result<RoleMode> parse_role_mode(std::string_view text) {
  return parse_word("--role", text, kRoles);
}
Result<ReasoningStyle> parse_reasoning_style(std::string_view text) {
  return parse_word("--reasoning-style", text, kStyles);
}
Result<Flavor> parse_flavor(std::string_view text) {
  return parse_word("--flavor", text, kFlavors);
}

std::vector<std::string_view> flavor_texts() {
  std::vector<std::string_view> texts;
  for (const auto& word : kFlavors) texts.push_back(word.text);
  return texts;
}

std::string_view flavor_text(Flavor flavor) {
  for (const auto& word : kFlavors) {
    if (word.value == flavor) return word.text;
  }
  return "all";
}

Result<void> check_options(const MockOptions& options) {
  constexpr Nanos kLongest = std::chrono::hours(24);
  const std::pair<std::string_view, Nanos> durations[] = {{"--ttft", options.ttft},
                                                          {"--gap", options.gap},
                                                          {"--gap-sd", options.gap_sd},
                                                          {"--load-time", options.load_time}};
  for (const auto& [flag, value] : durations) {
    if (value < Nanos(0) || value > kLongest) {
      return fail(Errc::kInvalidArgument, fmt::format("{} must lie between 0 and 24h", flag));
    }
  }
  for (const Nanos gap : options.gap_list) {
    if (gap < Nanos(0) || gap > kLongest) {
      return fail(Errc::kInvalidArgument, "--gap-list must hold durations from 0 to 24h");
    }
  }
  if (options.gap_distribution == GapDistribution::kList && options.gap_list.empty()) {
    return fail(Errc::kInvalidArgument, "--gap-dist list needs --gap-list");
  }
  struct Range {
    std::string_view flag;
    int64_t value, least, most;
  };
  const Range ranges[] = {{"--tokens", options.tokens, 0, 1'000'000},
                          {"--tokens-per-event", options.tokens_per_event, 1, 100'000},
                          {"--coalesce", options.coalesce, 1, 100'000},
                          {"--slots", options.slots, 0, 1'000'000},
                          {"--ctx", options.ctx, 0, 1'000'000'000}};
  for (const Range& range : ranges) {
    if (range.value < range.least || range.value > range.most) {
      return fail(Errc::kInvalidArgument, fmt::format("{} must lie between {} and {}", range.flag,
                                                      range.least, range.most));
    }
  }
  if (!(options.reasoning_share >= 0 && options.reasoning_share <= 1)) {
    return fail(Errc::kInvalidArgument, "--reasoning-share must lie between 0 and 1");
  }
  if (!(options.prefill_tps >= 0)) {
    return fail(Errc::kInvalidArgument, "--prefill-tps must not be negative");
  }
  if (options.models.empty()) return fail(Errc::kInvalidArgument, "--models must name one");
  return {};
}

Result<std::map<std::string, std::string>> read_script(const std::filesystem::path& path) {
  const auto text = read_file(path);
  if (!text) return fail(text.error());
  std::map<std::string, std::string> answers;
  const Json whole = Json::parse(*text, nullptr, false);
  if (whole.is_object() && !(whole.contains("prompt") && whole.contains("answer"))) {
    for (const auto& [prompt, answer] : whole.items()) {
      const auto added = add_answer(answers, Json(prompt), answer, "entry `" + prompt + "`");
      if (!added) return fail(added.error());
    }
    return answers;
  }
  size_t number = 0;
  for (const std::string& line : split(*text, '\n')) {
    ++number;
    if (line.empty()) continue;
    const std::string where = fmt::format("line {}", number);
    const Json entry = Json::parse(line, nullptr, false);
    if (!entry.is_object()) {
      return fail(Errc::kInvalidArgument,
                  fmt::format("--script: {} of {} is not a JSON object", where, path.string()));
    }
    const auto added =
        add_answer(answers, entry.value("prompt", Json()), entry.value("answer", Json()), where);
    if (!added) return fail(added.error());
  }
  return answers;
}

}  // namespace assay
