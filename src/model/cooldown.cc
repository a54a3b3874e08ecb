#include "model/cooldown.h"

#include <fmt/format.h>

#include <algorithm>
#include <charconv>
#include <string>

#include "base/text.h"
#include "model/heat.h"

namespace assay {
namespace {

constexpr Nanos kMostPause = std::chrono::hours(1);
constexpr int64_t kMostBatch = 1'000'000;

bool waits_for_heat(const std::optional<CoolingGate>& gate) { return gate && gate->below_c; }

/// `10s` or `60C`.
Result<CoolingGate> parse_gate(std::string_view text) {
  if (const auto celsius = parse_celsius(text)) return CoolingGate{Nanos(0), *celsius};
  const auto pause = parse_duration(text);
  if (pause && pause->count() > 0 && *pause <= kMostPause) return CoolingGate{*pause, {}};
  return fail(Errc::kInvalidArgument,
              fmt::format("'{}' is neither a time up to 1h, such as 10s, nor a temperature, such "
                          "as 60C",
                          printable(text, 60)));
}

/// `100:60s`, or a gate alone.
Result<void> read_batch(std::string_view text, Cooldown& out) {
  const size_t colon = text.find(':');
  if (colon != std::string_view::npos) {
    const std::string_view digits = trim(text.substr(0, colon));
    int64_t calls = 0;
    const auto [end, error] = std::from_chars(digits.data(), digits.data() + digits.size(), calls);
    if (error != std::errc() || end != digits.data() + digits.size() || calls < 1 ||
        calls > kMostBatch) {
      return fail(Errc::kInvalidArgument,
                  fmt::format("'{}' is no number of calls of a batch", printable(digits, 40)));
    }
    out.batch_calls = calls;
    text.remove_prefix(colon + 1);
  }
  auto gate = parse_gate(text);
  if (!gate) return fail(gate.error());
  out.batch = *gate;
  return {};
}

Result<void> read_gate(std::string_view text, std::optional<CoolingGate>& out) {
  auto gate = parse_gate(text);
  if (!gate) return fail(gate.error());
  out = *gate;
  return {};
}

Result<void> read_most(std::string_view text, Cooldown& out) {
  const auto most = parse_duration(text);
  if (!most || most->count() <= 0 || *most > kMostPause) {
    return fail(Errc::kInvalidArgument,
                fmt::format("max '{}' is no time up to 1h", printable(text, 40)));
  }
  out.most = *most;
  return {};
}

Result<void> read_part(std::string_view part, Cooldown& out) {
  if (part == "tiers") {
    out.tiers = true;
    out.call.reset();
    out.model = CoolingGate{std::chrono::seconds(90), {}};
    out.batch = CoolingGate{std::chrono::seconds(60), {}};
    out.batch_calls = 100;
    return {};
  }
  const size_t equals = part.find('=');
  const std::string_view name = equals == std::string_view::npos ? "call" : part.substr(0, equals);
  const std::string_view value =
      equals == std::string_view::npos ? part : trim(part.substr(equals + 1));
  if (name == "call") {
    out.tiers = false;
    return read_gate(value, out.call);
  }
  if (name == "model") return read_gate(value, out.model);
  if (name == "batch") return read_batch(value, out);
  if (name == "max") return read_most(value, out);
  return fail(
      Errc::kInvalidArgument,
      fmt::format("'{}' is none of call, model, batch, max and tiers", printable(name, 40)));
}

}  // namespace

bool Cooldown::by_temperature() const {
  return waits_for_heat(call) || waits_for_heat(model) || waits_for_heat(batch);
}

Result<Cooldown> parse_cooldown(std::string_view text) {
  Cooldown cooldown;
  if (trim(text).empty()) return cooldown;
  for (const std::string& part : split(text, ',')) {
    if (auto read = read_part(part, cooldown); !read) return fail(read.error());
  }
  // A pause that somebody asked for is made as long as they said.
  for (const auto& gate : {cooldown.call, cooldown.model, cooldown.batch}) {
    if (gate) cooldown.most = std::max(cooldown.most, gate->pause);
  }
  return cooldown;
}

Cooldown cooldown_of(std::string_view text) {
  const auto cooldown = parse_cooldown(text);
  return cooldown ? *cooldown : Cooldown();
}

Nanos tier_pause(const CallRecord& call) {
  struct Tier {
    int64_t in, out;
    std::chrono::seconds pause;
  };
  constexpr Tier kTiers[]{{16'000, 1'000, std::chrono::seconds(30)},
                          {2'000, 500, std::chrono::seconds(15)},
                          {500, 100, std::chrono::seconds(5)}};
  constexpr std::chrono::seconds kLight{2};
  constexpr std::chrono::milliseconds kMostForTokens{5000};
  const int64_t in = std::max<int64_t>(0, call.prompt_tokens.value_or(0));
  const int64_t out = std::max<int64_t>(0, call.completion_tokens.value_or(0));
  const auto* tier = std::find_if(std::begin(kTiers), std::end(kTiers),
                                  [&](const Tier& t) { return in > t.in || out > t.out; });
  const Nanos pause = tier != std::end(kTiers) ? tier->pause : kLight;
  const std::chrono::milliseconds tokens(std::min(in, kMostForTokens.count()) +
                                         std::min(out, kMostForTokens.count()));
  return pause + std::min(tokens, kMostForTokens);
}

}  // namespace assay
