#include "stats/telemetry_join.h"

#include <fmt/format.h>
#include <fmt/ranges.h>

#include <algorithm>
#include <iterator>
#include <map>
#include <string>
#include <string_view>
#include <utility>

#include "stats/leg_marks.h"
#include "stats/machine_samples.h"

namespace assay {
namespace {

std::optional<double> tokens_of(std::span<const Flight> flights, std::span<const size_t> own) {
  double tokens = 0;
  for (const size_t i : own) {
    if (flights[i].ok && !flights[i].tokens) return std::nullopt;
    tokens += static_cast<double>(flights[i].tokens.value_or(0));
  }
  return tokens > 0 ? std::optional(tokens) : std::nullopt;
}

std::vector<Span> spans_of(std::span<const Flight> flights, std::span<const size_t> own) {
  std::vector<Span> spans;
  for (const size_t i : own) spans.push_back(flights[i].span);
  return joined(std::move(spans));
}

}  // namespace

std::optional<Span> in_flight(const CallRecord& call) {
  if (!call.at.sent) return std::nullopt;
  int64_t end = *call.at.sent;
  for (const auto& at : {call.at.first_event, call.at.last_text, call.at.done, call.at.ended}) {
    end = std::max(end, at.value_or(end));
  }
  return Span{*call.at.sent, end};
}

TelemetryJoin::TelemetryJoin(const RunMeta& meta, std::span<const TelemetryStream> streams)
    : meta_(meta), bands_(heat_bands_of(meta)), sampled_(!streams.empty()) {
  for (const Cell& cell : meta.cells) machines_.push_back(stream_of(streams, cell.id));
}

const TelemetryStream* TelemetryJoin::machine_of(int64_t cell) const {
  return cell >= 0 && cell < std::ssize(machines_) ? machines_[static_cast<size_t>(cell)] : nullptr;
}

std::optional<size_t> TelemetryJoin::add(CallRecord& record) {
  if (!sampled_ || record.leg < 0 || record.leg >= std::ssize(meta_.legs)) return std::nullopt;
  const Leg& leg = meta_.legs[static_cast<size_t>(record.leg)];
  const TelemetryStream* machine = machine_of(leg.cell);
  const auto span = in_flight(record);
  if (!span || machine == nullptr) return std::nullopt;
  if (meta_.cells[static_cast<size_t>(leg.cell)].id != record.cell_id) return std::nullopt;
  // A cold call unloads and loads before it is sent, and that is no rest.
  for (const auto& at : {record.at.unload_start, record.at.sent}) {
    if (at) first_activity_ns_ = std::min(first_activity_ns_, *at);
  }
  constexpr std::string_view kFlag = "throttled";
  const bool told =
      std::find(record.flags.begin(), record.flags.end(), kFlag) != record.flags.end();
  if (!told && !throttled_in(*machine, *span).empty()) record.flags.emplace_back(kFlag);
  Flight flight;
  flight.span = *span;
  flight.cell = leg.cell;
  flight.tokens = record.completion_tokens;
  flight.prefix = record.prefix;
  flight.ok = record.outcome == Outcome::kOk;
  const bool counts = record.final && record.index >= 0 && record.phase != Phase::kWarmup;
  if (counts) flight.leg = record.leg;
  flights_.push_back(flight);
  return flights_.size() - 1;
}

std::vector<EnergyShare> TelemetryJoin::shares_by(std::span<const int64_t> groups) const {
  std::vector<EnergyShare> shares(flights_.size());
  for (const auto& [machine, energy] : energy_) {
    std::vector<size_t> here;
    std::vector<Span> spans;
    std::vector<int64_t> own_groups;
    for (size_t i = 0; i < flights_.size(); ++i) {
      if (machine_of(flights_[i].cell) != machine) continue;
      here.push_back(i);
      spans.push_back(flights_[i].span);
      own_groups.push_back(groups[i]);
    }
    const auto found = share_energy(energy, spans, own_groups);
    for (size_t i = 0; i < here.size(); ++i) shares[here[i]] = found[i];
  }
  return shares;
}

void TelemetryJoin::add_energy(const MachineEnergy& machine, std::span<const size_t> own,
                               std::span<const EnergyShare> shares, LegTelemetry& out) const {
  double seconds = 0;
  bool mixed = false;
  for (const size_t i : own) {
    seconds += shares[i].seconds;
    mixed = mixed || shares[i].mixed;
  }
  if (seconds <= 0) return;
  const auto tokens = tokens_of(flights_, own);
  const auto calls = static_cast<double>(own.size());
  for (size_t domain = 0; domain < kEnergyDomains.size(); ++domain) {
    LegEnergy energy;
    const bool known = std::all_of(own.begin(), own.end(), [&](size_t i) {
      const auto& joules = shares[i].joules[domain];
      energy.joules += joules.value_or(0);
      return joules.has_value();
    });
    if (!known) continue;
    energy.domain = kEnergyDomains[domain];
    energy.attributed = mixed;
    energy.mean_power_w = energy.joules / seconds;
    energy.j_per_call = energy.joules / calls;
    if (tokens) energy.j_per_token = energy.joules / *tokens;
    energy.idle_power_w = machine.idle_w(domain);
    if (energy.idle_power_w) {
      const double net = energy.joules - *energy.idle_power_w * seconds;
      energy.net_j_per_call = net / calls;
      if (tokens) energy.net_j_per_token = net / *tokens;
    }
    out.energy.push_back(energy);
  }
}

LegTelemetry TelemetryJoin::figures(int64_t cell, std::span<const size_t> own,
                                    std::span<const EnergyShare> shares) const {
  LegTelemetry out;
  const TelemetryStream* stream = machine_of(cell);
  if (stream == nullptr) {
    out.missing = "remote";
    return out;
  }
  add_levels(*stream, spans_of(flights_, own), bands_, out);
  if (out.samples == 0) {
    out.missing = "no_samples";
    return out;
  }
  add_energy(energy_.at(stream), own, shares, out);
  for (const size_t i : own) {
    ++out.sent_calls;
    const auto words = throttled_in(*stream, flights_[i].span);
    if (!words.empty()) ++out.throttled_calls;
    for (const std::string& word : words) {
      auto& all = out.throttled_by;
      if (std::find(all.begin(), all.end(), word) == all.end()) all.push_back(word);
    }
  }
  return out;
}

void TelemetryJoin::add_marks(std::span<const size_t> own, LegResult& leg) const {
  const LegTelemetry& machine = *leg.telemetry;
  if (!machine.missing.empty()) return;
  if (machine.throttled_calls > 0) {
    leg.marks.push_back(
        {"throttled", fmt::format("{} of {} calls ({})", machine.throttled_calls,
                                  machine.sent_calls, fmt::join(machine.throttled_by, ", "))});
  }
  if (machine.steal_percent.value_or(0) > kMostStealPercent) {
    leg.marks.push_back({"steal", fmt::format("other guests of the host took {:.0f} % of the "
                                              "processors' time",
                                              *machine.steal_percent)});
  }
  const TelemetryStream& stream = *machine_of(leg.cell);
  const std::vector<Span> spans = spans_of(flights_, own);
  const bool moved = leg.course && (leg.course->course == Course::kDrifting ||
                                    leg.course->course == Course::kSaturated);
  if (moved) leg.course_evidence = course_evidence(stream, spans);
  std::string evidence = heat_evidence(stream, spans);
  if (evidence.empty()) return;
  // Drift alone has many causes; with the clock beside it this one is seen.
  if (leg.course && leg.course->course == Course::kDrifting && leg.course->first_to_last) {
    evidence += fmt::format("; E2E latency moved by {:+.1f} %", 100 * *leg.course->first_to_last);
  }
  leg.marks.push_back({"clock_fell", std::move(evidence)});
}

void TelemetryJoin::finish(std::vector<LegResult>& legs) {
  if (!sampled_) return;
  for (const TelemetryStream* machine : machines_) {
    if (machine != nullptr) energy_.try_emplace(machine, *machine, first_activity_ns_);
  }
  // What gave no figure counts with the largest part of its leg, as everywhere.
  std::map<int64_t, size_t> largest;
  std::map<std::pair<int64_t, Prefix>, size_t> parts;
  for (size_t i = 0; i < legs.size(); ++i) {
    const auto [known, is_first] = largest.try_emplace(legs[i].leg, i);
    if (!is_first && legs[i].ok > legs[known->second].ok) known->second = i;
    parts.try_emplace({legs[i].leg, legs[i].prefix}, i);
  }
  std::vector<std::vector<size_t>> own(legs.size());
  std::vector<int64_t> groups(flights_.size(), -1);
  for (size_t i = 0; i < flights_.size(); ++i) {
    const Flight& flight = flights_[i];
    if (flight.leg < 0 || !largest.contains(flight.leg)) continue;
    const auto part = parts.find({flight.leg, flight.prefix});
    if (flight.ok && part == parts.end()) continue;
    const size_t leg = flight.ok ? part->second : largest.at(flight.leg);
    own[leg].push_back(i);
    groups[i] = static_cast<int64_t>(leg);
  }
  const std::vector<EnergyShare> shares = shares_by(groups);
  for (size_t i = 0; i < legs.size(); ++i) {
    LegResult& leg = legs[i];
    leg.telemetry = figures(leg.cell, own[i], shares);
    // Its calls answer another question than was asked: no figure of theirs is shown.
    if (find_mark(leg, "void") != nullptr) leg.telemetry->energy.clear();
    add_marks(own[i], leg);
  }
}

std::vector<LegTelemetry> TelemetryJoin::of_cells() const {
  std::vector<LegTelemetry> cells;
  if (!sampled_) return cells;
  std::vector<std::vector<size_t>> own(meta_.cells.size());
  std::vector<int64_t> groups(flights_.size(), -1);
  for (size_t i = 0; i < flights_.size(); ++i) {
    if (flights_[i].leg < 0) continue;
    own[static_cast<size_t>(flights_[i].cell)].push_back(i);
    groups[i] = flights_[i].cell;
  }
  const std::vector<EnergyShare> shares = shares_by(groups);
  for (size_t i = 0; i < own.size(); ++i) {
    cells.push_back(figures(static_cast<int64_t>(i), own[i], shares));
  }
  return cells;
}

std::vector<std::vector<CallEnergy>> TelemetryJoin::of_calls() const {
  std::vector<std::vector<CallEnergy>> calls(flights_.size());
  const std::vector<EnergyShare> shares = shares_by(std::vector<int64_t>(flights_.size(), 0));
  for (size_t i = 0; i < flights_.size(); ++i) {
    const TelemetryStream* machine = machine_of(flights_[i].cell);
    const Span& span = flights_[i].span;
    if (machine == nullptr || span.to_ns <= span.from_ns) continue;
    const bool is_short = seconds_of({&span, 1}) * machine->rate_hz < kLeastCallPeriods;
    for (size_t domain = 0; domain < kEnergyDomains.size(); ++domain) {
      const auto& joules = shares[i].joules[domain];
      if (!joules) continue;
      CallEnergy energy{kEnergyDomains[domain], *joules, {}, shares[i].shared || is_short};
      if (const auto& idle = energy_.at(machine).idle_w(domain)) {
        energy.net_joules = *joules - *idle * shares[i].seconds;
      }
      calls[i].push_back(energy);
    }
  }
  return calls;
}

}  // namespace assay
