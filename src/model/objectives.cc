#include "model/objectives.h"

#include <fmt/format.h>

#include <array>
#include <charconv>
#include <cmath>
#include <optional>

#include "base/text.h"

namespace assay {
namespace {

struct Word {
  std::string_view name;
  Objective::What what;
};
constexpr std::array kWords{Word{"ttft", Objective::What::kTtft},
                            Word{"tpot", Objective::What::kTpot},
                            Word{"itl", Objective::What::kItl}, Word{"e2e", Objective::What::kE2e},
                            Word{"tps", Objective::What::kTps}};

std::string_view name_of(Objective::What what) {
  for (const Word& word : kWords) {
    if (word.what == what) return word.name;
  }
  return "";
}

Error fault(std::string_view part, std::string_view what) {
  return Error(
      Errc::kInvalidArgument, fmt::format("'{}' {}", printable(part, 40), what),
      "write ttft:2s,tps:10; ttft, tpot, itl and e2e take a duration, tps tokens a second");
}

/// Milliseconds, or tokens a second; absent where the text is neither, or not above 0.
std::optional<double> limit_of(Objective::What what, std::string_view text) {
  double limit = 0;
  if (what == Objective::What::kTps) {
    const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), limit);
    if (error != std::errc() || end != text.data() + text.size()) return std::nullopt;
  } else {
    const auto duration = parse_duration(text);
    if (!duration) return std::nullopt;
    limit = static_cast<double>(duration->count()) / 1e6;
  }
  if (!std::isfinite(limit) || limit <= 0) return std::nullopt;
  return limit;
}

}  // namespace

Result<std::vector<Objective>> parse_objectives(std::string_view text) {
  std::vector<Objective> objectives;
  for (const std::string& item : split(text, ',')) {
    const std::string_view part = trim(item);
    const size_t colon = part.find(':');
    const Word* word = nullptr;
    for (const Word& known : kWords) {
      if (part.substr(0, colon) == known.name) word = &known;
    }
    if (word == nullptr || colon == std::string_view::npos) {
      return fail(fault(part, "is no objective: ttft, tpot, itl, e2e or tps and its limit"));
    }
    const auto limit = limit_of(word->what, trim(part.substr(colon + 1)));
    if (!limit) return fail(fault(part, "has no limit above 0 that it could be held to"));
    for (const Objective& other : objectives) {
      if (other.what == word->what) return fail(fault(word->name, "is given twice"));
    }
    objectives.push_back({word->what, *limit});
  }
  return objectives;
}

std::string objective_text(const Objective& objective) {
  if (objective.what == Objective::What::kTps) {
    return fmt::format("at least {:g} tok/s", objective.limit);
  }
  std::string name(name_of(objective.what));
  for (char& c : name) c = static_cast<char>(c >= 'a' && c <= 'z' ? c - 'a' + 'A' : c);
  return fmt::format("{} at most {}", name,
                     duration_text(Nanos(std::llround(objective.limit * 1e6))));
}

bool is_attainment(double share) { return share >= 0.5 && share <= 0.999; }

int64_t calls_to_show(double share) {
  return static_cast<int64_t>(std::ceil(std::log(1 - kSure) / std::log(share) - 1e-9));
}

}  // namespace assay
