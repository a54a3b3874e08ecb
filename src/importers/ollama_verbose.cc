#include <fmt/format.h>

#include <array>
#include <cmath>
#include <cstdlib>

#include "base/text.h"
#include "importers/fields.h"
#include "importers/run_builder.h"

namespace assay {
namespace {

/// What one answer's block of lines says. Lines whose figure is zero are not printed.
struct Block {
  size_t line = 0;  ///< Of its first line, from 1; 0: none yet.
  std::optional<double> total_ms, load_ms, prefill_ms, decode_ms;
  std::optional<int64_t> prompt, cached, output;
};

struct Label {
  std::string_view text;
  std::optional<double> Block::*duration;
  std::optional<int64_t> Block::*count;
};
constexpr std::array kLabels{Label{"total duration:", &Block::total_ms, nullptr},
                             Label{"load duration:", &Block::load_ms, nullptr},
                             Label{"prompt eval count:", nullptr, &Block::prompt},
                             Label{"prompt eval cached:", nullptr, &Block::cached},
                             Label{"prompt eval duration:", &Block::prefill_ms, nullptr},
                             Label{"eval count:", nullptr, &Block::output},
                             Label{"eval duration:", &Block::decode_ms, nullptr}};

/// Go's form of a duration: `1m2.5s`, `126.29ms`, `877µs`.
std::optional<double> milliseconds(std::string_view text) {
  struct Unit {
    std::string_view name;
    double ms;
  };
  constexpr std::array kUnits{Unit{"ns", 1e-6},      Unit{"us", 1e-3}, Unit{"µs", 1e-3},
                              Unit{"\u03bcs", 1e-3}, Unit{"ms", 1},    Unit{"h", 3.6e6},
                              Unit{"m", 60e3},       Unit{"s", 1e3}};
  double sum = 0;
  if (text.empty()) return std::nullopt;
  while (!text.empty()) {
    const size_t digits = text.find_first_not_of("0123456789.");
    if (digits == 0 || digits == std::string_view::npos) return std::nullopt;
    const std::string number(text.substr(0, digits));
    char* end = nullptr;
    const double value = std::strtod(number.c_str(), &end);
    if (*end != '\0') return std::nullopt;
    text.remove_prefix(digits);
    bool known = false;
    for (const Unit& unit : kUnits) {
      if (!text.starts_with(unit.name)) continue;
      text.remove_prefix(unit.name.size());
      sum += value * unit.ms;
      known = true;
      break;
    }
    if (!known) return std::nullopt;
  }
  if (!(sum <= kMaxNumber / 1e6)) return std::nullopt;
  return sum;
}

/// `21 token(s)`.
std::optional<int64_t> tokens(std::string_view text) {
  const size_t digits = std::min(text.find_first_not_of("0123456789"), text.size());
  if (digits == 0 || digits > 12 || !trim(text.substr(digits)).starts_with("token")) {
    return std::nullopt;
  }
  return std::atoll(std::string(text.substr(0, digits)).c_str());
}

/// What stands behind the label at the line's begin, where it is one; list marks before it go.
const Label* label_of(std::string_view& line) {
  while (!line.empty() && (line.front() == '-' || line.front() == '*' || line.front() == ' ')) {
    line.remove_prefix(1);
  }
  for (const Label& label : kLabels) {
    if (!line.starts_with(label.text)) continue;
    line = trim(line.substr(label.text.size()));
    return &label;
  }
  return nullptr;
}

CallRecord record_of(const Block& b) {
  CallRecord r;
  r.outcome = Outcome::kOk;
  r.prompt_tokens = b.prompt;
  r.cached_tokens = b.cached;
  r.engine.load_ms = b.load_ms;
  r.engine.total_ms = b.total_ms;
  r.engine.prefill_ms = b.prefill_ms;
  r.engine.decode_ms = b.decode_ms;
  if (b.prompt) r.engine.prompt_tokens = *b.prompt - b.cached.value_or(0);
  r.engine.output_tokens = b.output;
  return r;
}

/// Prompts of unlike length are never pooled: each length is a leg.
std::string prompt_id(const Block& b) {
  return b.prompt ? fmt::format("prompt-{}-tokens", *b.prompt) : "prompt";
}

}  // namespace

bool fits_ollama_verbose(const ImportText& source) {
  const std::string_view text = source.text();
  return source.size() == 0 && text.find("total duration:") != std::string_view::npos &&
         text.find("eval duration:") != std::string_view::npos;
}

Result<ImportedRun> read_ollama_verbose(const ImportText& source, const ImportHints& hints) {
  Faults faults;
  RunBuilder run(hints, "ollama");
  run.define("times are Ollama's own, in the server: there is no TTFT and no time of the client");
  run.define(
      "prompt eval count holds cached tokens too; versions that print no 'prompt eval cached' line "
      "do not tell how many, and their prefill speed may be that of a part of the prompt");
  const int64_t cell = run.cell("");
  bool fits = true;
  Block block;
  const auto flush = [&] {
    if (block.line > 0 && (block.decode_ms || block.prefill_ms)) {
      if (block.cached.value_or(0) > block.prompt.value_or(0)) {
        faults.add(fmt::format("line {}", block.line), "more tokens are cached than it has");
      }
      const int64_t leg = run.leg(cell, prompt_id(block), Phase::kMeasure, 1);
      fits &= run.add(leg, record_of(block));
    }
    block = Block();
  };
  size_t number = 0;
  const std::string_view text = source.text();
  for (size_t at = 0; at < text.size();) {
    const size_t end = std::min(text.find('\n', at), text.size());
    std::string_view line = trim(text.substr(at, end - at));
    at = end + 1;
    ++number;
    const Label* label = label_of(line);
    if (label == nullptr) continue;
    // An answer's block begins with its total; one without begins where a line repeats.
    const bool repeats = label->duration != nullptr ? (block.*label->duration).has_value()
                                                    : (block.*label->count).has_value();
    if (label->text == "total duration:" || repeats) flush();
    if (block.line == 0) block.line = number;
    if (label->duration != nullptr) {
      block.*label->duration = milliseconds(line);
    } else {
      block.*label->count = tokens(line);
    }
    const bool read = label->duration != nullptr ? (block.*label->duration).has_value()
                                                 : (block.*label->count).has_value();
    if (!read) {
      faults.add(fmt::format("line {}", number), fmt::format("'{}' is not what stands behind '{}'",
                                                             printable(line, 40), label->text));
    }
  }
  flush();
  if (faults.any()) return fail(faults.error());
  if (!fits) return too_many_calls();
  if (hints.model.empty()) run.note("the text names no model: --model NAME does");
  return run.finish();
}

}  // namespace assay
