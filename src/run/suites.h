#pragma once

#include <string>
#include <vector>

#include "base/result.h"
#include "model/run.h"

namespace assay {

/// A named collection of prompts. Its revision is a hash over them; a frozen one never changes.
struct Suite {
  std::string name;
  std::string summary;
  std::string revision;  ///< 12 hex digits.
  bool frozen = false;
  bool cold_and_warm = false;  ///< 1 cold and 5 warm calls each, as source 004 has it.
  std::vector<Prompt> prompts;
};

/// The suites that come with Assay. `speed` makes its prompts to measure and has none here.
const std::vector<Suite>& builtin_suites();

/// A built-in suite by name, else a prompt file:
/// - .yaml/.yml: source 004's prompts.yaml, `ID: {prompt: …, max_tokens: …}`;
/// - .json: an array, .jsonl: a line each, of `{id, prompt|question, max_tokens}`;
/// - .txt: one prompt a line.
/// Ids must be unique, and those of the frozen prompts belong to their texts. All faults of a file
/// are reported at once, with their lines.
Result<Suite> load_suite(const std::string& name_or_file);

/// The frozen prompts, or those of a file, asked cold and warm.
Result<Suite> load_baseline_suite(const std::string& prompts_file);

/// Sets the prompt's hash from its text.
Prompt make_prompt(std::string id, std::string text);

}  // namespace assay
