#include "run/cooling.h"

#include <fmt/format.h>

#include <algorithm>
#include <utility>

#include "net/sleep.h"

namespace assay {

Cooling::Cooling(boost::asio::io_context& io, const Cooldown& cooldown, MonoNs epoch, Hooks hooks)
    : io_(io), gates_(cooldown), epoch_(epoch), hooks_(std::move(hooks)) {}

Task<bool> Cooling::pass(int64_t cell) {
  constexpr MonoNs kLookAgain = 100'000'000;
  if (!standing_) standing_ = gates_.before(cell, mono_now_ns());
  if (!standing_) co_return true;
  last_ = CoolingWait();
  last_.gate = standing_->name;
  last_.below_c = standing_->below_c;
  ++waiting_;
  settle();
  while (standing_ && !hooks_.stopping()) {
    const MonoNs now = mono_now_ns();
    const Passage passage = passage_of(*standing_, hooks_.latest(), now);
    if (passage != Passage::kClosed) {
      last_.cooled = passage == Passage::kOpen;
      standing_.reset();  // For all that wait at it.
      break;
    }
    hooks_.doing(words());
    MonoNs wait = kLookAgain;
    if (!standing_->below_c) wait = std::clamp<MonoNs>(standing_->until - now, 1, kLookAgain);
    co_await sleep_for(io_, Nanos(wait));
  }
  const bool cooled = last_.cooled;
  --waiting_;
  settle();
  hooks_.doing({});
  co_return cooled;
}

void Cooling::ended(const CallRecord& call) {
  const MonoNs now = mono_now_ns();
  gates_.ended(call, now);
  if (standing_) standing_->since = now;  // One of those that were in flight when it came up.
}

void Cooling::in_flight(bool any) {
  in_flight_ = any;
  settle();
}

void Cooling::settle() {
  const bool resting = waiting_ > 0 && !in_flight_;
  if (resting == rest_began_.has_value()) return;
  const MonoNs now = mono_now_ns();
  if (resting) {
    rest_began_ = now;
    return;
  }
  CoolingWait wait = last_;
  wait.from_ns = *std::exchange(rest_began_, std::nullopt) - epoch_;
  wait.to_ns = now - epoch_;
  if (const auto readings = hooks_.latest()) {
    if (const auto hottest = hottest_of(*readings, now)) wait.temperature_c = hottest->value;
  }
  hooks_.rested(wait);
}

std::string Cooling::words() const {
  const MonoNs now = mono_now_ns();
  const auto readings = hooks_.latest();
  const auto hottest = readings ? hottest_of(*readings, now) : std::nullopt;
  if (!standing_->below_c) {
    const MonoNs left = std::max<MonoNs>(0, standing_->until - now);
    return fmt::format("cooling for {:.0f} s more{}", static_cast<double>(left) / 1e9,
                       hottest ? fmt::format(", now {:.0f} °C", hottest->value) : "");
  }
  return fmt::format(
      "cooling to {:g} °C, now {}", *standing_->below_c,
      hottest ? fmt::format("{:.0f} °C{}", hottest->value, age_text(*hottest, now)) : "unknown");
}

}  // namespace assay
