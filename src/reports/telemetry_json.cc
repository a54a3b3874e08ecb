#include "reports/telemetry_json.h"

#include <algorithm>
#include <cmath>
#include <map>
#include <nlohmann/json.hpp>
#include <string>

#include "base/text.h"

namespace assay {
namespace {

using Json = nlohmann::ordered_json;

/// Three decimals tell enough of every figure here, or four digits of one below 1.
Json number(const std::optional<double>& value) {
  if (!value || !std::isfinite(*value)) return nullptr;
  if (*value == 0) return 0.0;
  const double digits = -std::floor(std::log10(std::fabs(*value))) + 3;
  const double scale = std::pow(10, std::clamp(digits, 3.0, 15.0));
  return std::round(*value * scale) / scale;
}

Json heat_json(const std::optional<HeatShares>& heat) {
  if (!heat) return nullptr;
  Json shares = Json::array();
  for (const double share : heat->share) shares.push_back(number(share));
  return {{"hottest", to_text(heat->hottest)},
          {"hottest_share", number(heat->hottest_share)},
          {"band_shares", std::move(shares)}};
}

Json texts(const std::map<std::string, std::string>& from) {
  Json json = Json::object();
  for (const auto& [name, text] : from) json[printable(name, 80)] = printable(text, 200);
  return json;
}

Json energy_json(const LegEnergy& energy) {
  return {{"domain", domain_name(energy.domain)},
          {"energy_j", number(energy.joules)},
          {"mean_power_w", number(energy.mean_power_w)},
          {"idle_power_w", number(energy.idle_power_w)},
          {"j_per_token", number(energy.j_per_token)},
          {"j_per_token_net", number(energy.net_j_per_token)},
          {"j_per_call", number(energy.j_per_call)},
          {"j_per_call_net", number(energy.net_j_per_call)},
          {"attributed", energy.attributed}};
}

}  // namespace

Json leg_telemetry_json(const std::optional<LegTelemetry>& machine) {
  if (!machine) return nullptr;
  if (!machine->missing.empty()) return {{"missing", machine->missing}};
  Json energy = Json::array();
  for (const LegEnergy& one : machine->energy) energy.push_back(energy_json(one));
  return {{"samples", machine->samples},
          {"cpu_percent", number(machine->cpu_percent)},
          {"cpu_mhz", number(machine->cpu_mhz)},
          {"steal_percent", number(machine->steal_percent)},
          {"disk_read_bytes_per_s", number(machine->disk_read_bytes_per_s)},
          {"peak_swap_used_bytes", number(machine->peak_swap_used_bytes)},
          {"peak_cpu_temperature_c", number(machine->peak_cpu_temperature_c)},
          {"gpu_percent", number(machine->gpu_percent)},
          {"gpu_mhz", number(machine->gpu_mhz)},
          {"peak_gpu_temperature_c", number(machine->peak_gpu_temperature_c)},
          {"peak_engine_memory_bytes", number(machine->peak_engine_memory_bytes)},
          {"peak_gpu_memory_bytes", number(machine->peak_gpu_memory_bytes)},
          {"cpu_heat", heat_json(machine->cpu_heat)},
          {"gpu_heat", heat_json(machine->gpu_heat)},
          {"energy", std::move(energy)},
          {"throttled_calls", machine->throttled_calls},
          {"sent_calls", machine->sent_calls},
          {"throttled_by", machine->throttled_by},
          {"power_capped_share", number(machine->power_capped_share)}};
}

Json telemetry_json(std::span<const TelemetryStream> streams) {
  Json json = Json::array();
  for (const TelemetryStream& stream : streams) {
    Json cells = Json::array();
    for (const std::string& cell : stream.cells) cells.push_back(printable(cell, 200));
    json.push_back({{"node", printable(stream.node, 80)},
                    {"cells", std::move(cells)},
                    {"rate_hz", stream.rate_hz},
                    {"samples", stream.samples.size()},
                    {"clock_bound_ms", number(stream.clock_bound_ms)},
                    {"facts", texts(stream.facts)},
                    {"missing", texts(stream.missing)}});
  }
  return json;
}

}  // namespace assay
