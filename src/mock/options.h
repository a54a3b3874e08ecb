#pragma once

#include <cstdint>
#include <filesystem>
#include <map>
#include <string>
#include <string_view>
#include <vector>

#include "base/clock.h"
#include "base/result.h"

namespace assay {

/// How the gaps between tokens vary. Text forms: constant, normal, lognormal, list.
enum class GapDistribution : uint8_t { kConstant, kNormal, kLognormal, kList };

/// Where an OpenAI stream says `role`. Text forms: early (a chunk of its own right after the
/// headers), with-first (in the first content chunk), none.
enum class RoleMode : uint8_t { kEarly, kWithFirst, kNone };

/// Where reasoning goes. Text forms: field (`reasoning_content`, Ollama `thinking`), tags
/// (`<think>` inside the content).
enum class ReasoningStyle : uint8_t { kField, kTags };

/// Whose routes and shapes answer. Text forms: openai, llamacpp, llamacpp-router (several models),
/// ollama, lmstudio, lmstudio-v0 (an older program), vllm, all.
enum class Flavor : uint8_t {
  kOpenAi,
  kLlamaCpp,
  kRouter,
  kOllama,
  kLmStudio,
  kLmStudioV0,
  kVllm,
  kAll
};

/// Whether llama-server's shapes are those of the flavor.
inline bool is_llama(Flavor flavor) {
  return flavor == Flavor::kLlamaCpp || flavor == Flavor::kRouter || flavor == Flavor::kAll;
}
inline bool is_lm_studio(Flavor flavor) {
  return flavor == Flavor::kLmStudio || flavor == Flavor::kLmStudioV0;
}

Result<GapDistribution> parse_gap_distribution(std::string_view text);
Result<RoleMode> parse_role_mode(std::string_view text);
Result<ReasoningStyle> parse_reasoning_style(std::string_view text);
Result<Flavor> parse_flavor(std::string_view text);
std::string_view flavor_text(Flavor flavor);
std::vector<std::string_view> flavor_texts();  ///< Of all flavors.

/// What the mock engine pretends to be. Each field is one flag of `assay mock-server`.
struct MockOptions {
  uint16_t port = 0;  ///< 0: any free one.

  Nanos ttft = std::chrono::milliseconds(200);  ///< From the request to the first token.
  Nanos gap = std::chrono::milliseconds(20);    ///< Mean time between tokens.
  GapDistribution gap_distribution = GapDistribution::kConstant;
  Nanos gap_sd{};               ///< For normal and lognormal; normal gaps are cut at 0.
  std::vector<Nanos> gap_list;  ///< For list: used in turn, from the first again in each answer.

  int64_t tokens = 64;           ///< Natural length of an answer that no script gives.
  int64_t tokens_per_event = 1;  ///< An event is due when its last token is.
  int64_t coalesce = 1;          ///< Events in one write, sent when the last of them is due.

  RoleMode role = RoleMode::kEarly;
  double reasoning_share = 0;  ///< 0..1 of the tokens come first, as reasoning.
  ReasoningStyle reasoning_style = ReasoningStyle::kField;
  bool usage = true;  ///< Off: never any usage, also when the request asks for it.

  int64_t slots = 0;          ///< Answers at one time; the rest wait in order. 0: no limit.
  bool prefix_cache = false;  ///< Remember prompts by model; see docs/mock-server.md.
  double prefill_tps = 0;     ///< Adds new prompt tokens / this to the first token. 0: nothing.
  Nanos load_time{};          ///< First call of a model after the start or an unload.
  int64_t ctx = 0;            ///< Context in tokens. 0: no limit.

  std::string script_path;                     ///< JSON object or JSONL of prompt -> answer.
  std::map<std::string, std::string> answers;  ///< The same, given in the program.
  uint64_t seed = 0;
  std::vector<std::string> models{"mock"};  ///< Names that are listed. Any name is answered.
  Flavor flavor = Flavor::kAll;
  std::string api_key;  ///< Not empty: everything else gets 401.
};

/// kInvalidArgument with the flag's name in the message.
Result<void> check_options(const MockOptions& options);

/// Reads a script: one JSON object of prompt -> answer, or lines of
/// `{"prompt": "...", "answer": "..."}`.
Result<std::map<std::string, std::string>> read_script(const std::filesystem::path& path);

}  // namespace assay
