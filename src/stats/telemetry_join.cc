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

/// A stretch of time with how many calls were in flight, the leg's and all of the machine's.
struct Share {
  Span span;
  double share = 1;
};

/// `own` are among `flights`; the others take part where they are calls of the same machine.
std::vector<Share> shares_of(std::span<const Flight> flights, std::span<const size_t> own,
                             const std::vector<bool>& here) {
  struct Change {
    int all = 0;
    int own = 0;
  };
  std::map<int64_t, Change> changes;
  auto next = own.begin();
  for (size_t i = 0; i < flights.size(); ++i) {
    const bool mine = next != own.end() && *next == i;
    if (mine) ++next;
    if (!mine && !here[static_cast<size_t>(flights[i].cell)]) continue;
    Change& from = changes[flights[i].span.from_ns];
    from.all += 1;
    from.own += mine ? 1 : 0;
    Change& to = changes[flights[i].span.to_ns];
    to.all -= 1;
    to.own -= mine ? 1 : 0;
  }
  std::vector<Share> shares;
  int all = 0;
  int mine = 0;
  int64_t from = 0;
  for (const auto& [at, change] : changes) {
    if (mine > 0) shares.push_back({{from, at}, static_cast<double>(mine) / all});
    all += change.all;
    mine += change.own;
    from = at;
  }
  return shares;
}

std::optional<double> tokens_of(std::span<const Flight> flights, std::span<const size_t> own) {
  double tokens = 0;
  for (const size_t i : own) {
    if (flights[i].ok && !flights[i].tokens) return std::nullopt;
    tokens += static_cast<double>(flights[i].tokens.value_or(0));
  }
  return tokens > 0 ? std::optional(tokens) : std::nullopt;
}

/// Gross energy and mean power; absent where part of the time is not known.
std::optional<LegEnergy> energy_of(const EnergyMeter& meter, std::span<const Share> shares,
                                   double seconds) {
  LegEnergy energy;
  for (const Share& part : shares) {
    const auto joules = meter.joules({&part.span, 1});
    if (!joules) return std::nullopt;
    energy.joules += part.share * *joules;
    if (part.share < 1) energy.attributed = true;
  }
  if (seconds <= 0) return std::nullopt;
  energy.mean_power_w = energy.joules / seconds;
  return energy;
}

void add_energy(const TelemetryStream& stream, std::span<const Flight> flights,
                std::span<const size_t> own, const std::vector<bool>& here, int64_t rest_until_ns,
                LegTelemetry& out) {
  const std::vector<Share> shares = shares_of(flights, own, here);
  double seconds = 0;
  for (const Share& part : shares) seconds += part.share * seconds_of({&part.span, 1});
  const auto tokens = tokens_of(flights, own);
  for (const EnergyDomain domain : {EnergyDomain::kCpuPackages, EnergyDomain::kGpus}) {
    auto energy = energy_of(EnergyMeter(stream, domain), shares, seconds);
    if (!energy) continue;
    energy->domain = domain;
    energy->idle_power_w = idle_power_w(stream, domain, rest_until_ns);
    if (tokens) energy->j_per_token = energy->joules / *tokens;
    if (tokens && energy->idle_power_w) {
      energy->net_j_per_token = (energy->joules - *energy->idle_power_w * seconds) / *tokens;
    }
    out.energy.push_back(*energy);
  }
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
    : meta_(meta), sampled_(!streams.empty()) {
  for (const Cell& cell : meta.cells) machines_.push_back(stream_of(streams, cell.id));
}

void TelemetryJoin::add(CallRecord& record) {
  if (!sampled_ || record.leg < 0 || record.leg >= std::ssize(meta_.legs)) return;
  const Leg& leg = meta_.legs[static_cast<size_t>(record.leg)];
  if (leg.cell < 0 || leg.cell >= std::ssize(meta_.cells)) return;
  const auto cell = static_cast<size_t>(leg.cell);
  const auto span = in_flight(record);
  if (!span || meta_.cells[cell].id != record.cell_id || machines_[cell] == nullptr) return;
  // A cold call unloads and loads before it is sent, and that is no rest.
  for (const auto& at : {record.at.unload_start, record.at.sent}) {
    if (at) first_activity_ns_ = std::min(first_activity_ns_, *at);
  }
  constexpr std::string_view kFlag = "throttled";
  const bool told =
      std::find(record.flags.begin(), record.flags.end(), kFlag) != record.flags.end();
  if (!told && !throttled_in(*machines_[cell], *span).empty()) record.flags.emplace_back(kFlag);
  Flight flight;
  flight.span = *span;
  flight.cell = leg.cell;
  flight.tokens = record.completion_tokens;
  flight.prefix = record.prefix;
  flight.ok = record.outcome == Outcome::kOk;
  const bool counts = record.final && record.index >= 0 && record.phase != Phase::kWarmup;
  if (counts) flight.leg = record.leg;
  flights_.push_back(flight);
}

LegTelemetry TelemetryJoin::figures(int64_t cell, std::span<const size_t> own) const {
  LegTelemetry out;
  const TelemetryStream* stream =
      cell >= 0 && cell < std::ssize(machines_) ? machines_[static_cast<size_t>(cell)] : nullptr;
  if (stream == nullptr) {
    out.missing = "remote";
    return out;
  }
  add_levels(*stream, spans_of(flights_, own), out);
  if (out.samples == 0) {
    out.missing = "no_samples";
    return out;
  }
  std::vector<bool> here;
  for (const TelemetryStream* machine : machines_) here.push_back(machine == stream);
  add_energy(*stream, flights_, own, here, first_activity_ns_, out);
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

void TelemetryJoin::add_marks(int64_t cell, std::span<const size_t> own, LegResult& leg) const {
  const LegTelemetry& machine = *leg.telemetry;
  if (!machine.missing.empty()) return;
  if (machine.throttled_calls > 0) {
    leg.marks.push_back(
        {"throttled", fmt::format("{} of {} calls ({})", machine.throttled_calls,
                                  machine.sent_calls, fmt::join(machine.throttled_by, ", "))});
  }
  std::string evidence =
      heat_evidence(*machines_[static_cast<size_t>(cell)], spans_of(flights_, own));
  if (evidence.empty()) return;
  // Drift alone has many causes; with the clock beside it this one is seen.
  if (leg.course && leg.course->course == Course::kDrifting && leg.course->first_to_last) {
    evidence += fmt::format("; E2E latency moved by {:+.1f} %", 100 * *leg.course->first_to_last);
  }
  leg.marks.push_back({"clock_fell", std::move(evidence)});
}

void TelemetryJoin::finish(std::vector<LegResult>& legs) const {
  if (!sampled_) return;
  // What gave no figure counts with the largest part of its leg, as everywhere.
  std::map<int64_t, const LegResult*> largest;
  for (const LegResult& leg : legs) {
    const LegResult*& known = largest[leg.leg];
    if (known == nullptr || leg.ok > known->ok) known = &leg;
  }
  std::map<int64_t, std::vector<size_t>> by_leg;
  for (size_t i = 0; i < flights_.size(); ++i) by_leg[flights_[i].leg].push_back(i);
  for (LegResult& leg : legs) {
    std::vector<size_t> own;
    if (leg.leg >= 0) {
      for (const size_t i : by_leg[leg.leg]) {
        const Flight& flight = flights_[i];
        if (flight.ok ? flight.prefix == leg.prefix : largest[leg.leg] == &leg) own.push_back(i);
      }
    }
    leg.telemetry = figures(leg.cell, own);
    // Its calls answer another question than was asked: no figure of theirs is shown.
    if (find_mark(leg, "void") != nullptr) leg.telemetry->energy.clear();
    add_marks(leg.cell, own, leg);
  }
}

std::optional<LegTelemetry> TelemetryJoin::of_cell(int64_t cell) const {
  if (!sampled_) return std::nullopt;
  std::vector<size_t> own;
  for (size_t i = 0; i < flights_.size(); ++i) {
    if (flights_[i].leg >= 0 && flights_[i].cell == cell) own.push_back(i);
  }
  return figures(cell, own);
}

}  // namespace assay
