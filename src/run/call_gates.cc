#include "run/call_gates.h"

#include <algorithm>

namespace assay {
namespace {

const std::string& engine_of(const Cell& cell) {
  return cell.routed_from.empty() ? cell.id : cell.routed_from;
}

}  // namespace

MonoNs CallGates::reserve(const Cell& cell, MonoNs now) {
  if (!cell.max_rate) return now;
  const auto [gate, is_first] = next_.try_emplace(engine_of(cell), now);
  const MonoNs at = std::max(gate->second, now);
  gate->second = at + static_cast<int64_t>(1e9 / *cell.max_rate);
  return at;
}

void CallGates::answered(const Cell& cell, MonoNs now) { answered_[engine_of(cell)] = now; }

bool CallGates::is_warm(const Cell& cell, MonoNs now) const {
  const auto last = answered_.find(engine_of(cell));
  return last != answered_.end() && now - last->second <= kWarmFor.count();
}

}  // namespace assay
