#include <algorithm>
#include <array>
#include <nlohmann/json.hpp>

#include "reports/html/answers.h"
#include "reports/layout.h"

namespace assay {
namespace {

constexpr size_t kMaxCommand = 380;

constexpr std::array kChecks{
    CheckWords{"client_lag", "ms",
               "How late were bytes read after the kernel had them, at the 99th percentile?",
               "Measure from a machine that is less busy, or with fewer calls at once."},
    CheckWords{"loop_lag", "ms", "How late did the measuring loop run, at the 99th percentile?",
               "Measure from a machine that is less busy, or with fewer calls at once."},
    CheckWords{"coalesced_share", "share",
               "Which share of text events came in one read because it came late?",
               "Measure from a machine that is less busy: gaps between tokens are blurred."},
    CheckWords{"monotone_instants", "calls", "In how many calls do instants run backwards?",
               "Do not use these figures; look at the calls in the ledger."},
    CheckWords{"ttft_above_rtt", "calls",
               "In how many calls did text come sooner than the network can carry it?",
               "Do not use these figures; look at the calls in the ledger."},
    CheckWords{"engine_decode_agreement", "share",
               "How far is the speed measured here from the engine's own, as a median?",
               "Look for what stands between here and the engine: a proxy that collects events, or "
               "tokens that are counted twice."},
    CheckWords{"token_count_agreement", "calls",
               "In how many calls do the answer's and the engine's token counts differ?",
               "Ask the engine's makers which count is right; speeds rest on it."},
    CheckWords{
        "prefix_cache", "share",
        "Which share of prompts that nobody sent before did the server have in its cache?",
        "See who else uses the server; figures of fresh prompts may be those of cached ones."},
    CheckWords{"calibration", "ms",
               "How far were the instants off against an engine whose instants are known, at the "
               "99th percentile?",
               "Measure from a machine that is less busy, or with fewer calls at once."},
    CheckWords{"littles_law", "share",
               "How far are the calls' times in flight from what the load loop counted?",
               "Look at the calls in the ledger: some ended without being noticed, or twice."},
    CheckWords{"server_tokens", "share",
               "How many more tokens did the server generate than were received here?",
               "See who else uses the server: its speed was shared with them."},
    CheckWords{"arrivals_late", "ms", "How late were calls sent, at the 99th percentile?",
               "Measure from a machine that is less busy, or at a lower --request-rate."},
    CheckWords{"arrivals_rate", "share", "How far is the rate of the calls from what was asked?",
               "Ask for a lower --request-rate, or for more calls."},
    CheckWords{"clock_jump", "calls", "During how many calls did the wall clock jump?",
               "Let the clock settle (chronyc tracking), then measure again."},
};

struct Remedy {
  std::string_view code;
  std::string_view text;
};
constexpr std::array kRemedies{
    Remedy{"estimated_tokens", "Ask the server for usage: with it speeds rest on counts."},
    Remedy{"no_token_count", "Without token counts there is no speed; ask the server for usage."},
    Remedy{"prompt_truncated", "Give the engine a longer context, or use shorter prompts."},
    Remedy{"context_short", "Load the model with the context that was asked for."},
    Remedy{"few_calls", "Measure with more repetitions: -r 30 gives intervals and a p90."},
    Remedy{"drifting",
           "Let heat and other work settle, then measure again: while it drifts, the mean "
           "stands for no moment."},
    Remedy{"throttled",
           "The machine slowed itself down: see 'assay doctor', or let it cool between calls with "
           "--cooldown 60C."},
    Remedy{"steal",
           "Other guests of the host took processor time: measure on a host of its own, or when it "
           "is quiet."},
    Remedy{"clock_fell",
           "The machine got hot and slower: --cooldown 60C keeps it cool, --sustain 10m measures "
           "what is left after a while."},
    Remedy{"saturated", "Ask for fewer calls at once: work comes in faster than it is done."},
    Remedy{"failed_calls", "Find out why calls failed before comparing: see the failures."},
    Remedy{"torn_ledger", "The ledger lost lines; measure again before relying on it."},
};

/// A word as a shell takes it.
std::string quoted(const std::string& word) {
  constexpr std::string_view kPlain =
      "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789_./:=,@%+-";
  if (!word.empty() && word.find_first_not_of(kPlain) == std::string::npos) return word;
  std::string out = "'";
  for (const char c : word) out += c == '\'' ? std::string("'\\''") : std::string(1, c);
  return out + "'";
}

void add_option(const std::string& name, const nlohmann::ordered_json& value, std::string& out) {
  if (!value.is_string()) return;
  const std::string text = value.get<std::string>();
  out += " --" + name;
  if (text != "true") out += " " + quoted(text);
}

}  // namespace

const CheckWords* words_of_check(std::string_view name) {
  const auto* found = std::find_if(kChecks.begin(), kChecks.end(),
                                   [&](const CheckWords& words) { return words.name == name; });
  return found == kChecks.end() ? nullptr : found;
}

std::string_view remedy_of(std::string_view caveat) {
  for (const Remedy& remedy : kRemedies) {
    if (remedy.code == caveat) return remedy.text;
  }
  return {};
}

std::string repeat_command(const RunMeta& meta, const std::vector<OptionValue>& changed) {
  constexpr std::array<std::string_view, 8> kNotAgain{"output", "label",       "data-dir", "json",
                                                      "quiet",  "no-progress", "color",    "wait"};
  if (meta.imported) return {};
  const auto options = nlohmann::ordered_json::parse(meta.options_json, nullptr, false);
  std::string command = "assay run";
  if (options.is_discarded() || !options.is_object()) return {};
  for (const auto& [name, value] : options.items()) {
    if (std::find(kNotAgain.begin(), kNotAgain.end(), name) != kNotAgain.end()) continue;
    const bool replaced = std::any_of(changed.begin(), changed.end(),
                                      [&](const OptionValue& one) { return one.name == name; });
    if (replaced) continue;
    if (value.is_array()) {
      for (const auto& one : value) add_option(name, one, command);
    } else {
      add_option(name, value, command);
    }
  }
  for (const OptionValue& one : changed) command += " --" + one.name + " " + quoted(one.value);
  // What cannot be shown as it is must not be copied.
  const bool whole =
      command.size() <= kMaxCommand && safe_text(command, RenderOptions::Glyphs::kUtf8) == command;
  return whole ? command : std::string();
}

}  // namespace assay
