#include "reports/csv.h"

#include <fmt/format.h>

#include <algorithm>
#include <charconv>
#include <optional>
#include <type_traits>
#include <vector>

#include "base/text.h"
#include "model/fields.h"
#include "reports/builtin.h"
#include "stats/derive.h"
#include "stats/energy_shares.h"
#include "stats/machine_samples.h"

namespace assay {
namespace {

constexpr size_t kMaxText = 4000;
constexpr std::string_view kLineEnd = "\r\n";

bool is_number(std::string_view text) {
  if (text.find_first_not_of("0123456789.eE+-") != std::string_view::npos) return false;
  if (text.starts_with('+')) text.remove_prefix(1);
  double value = 0;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), value);
  return error == std::errc() && end == text.data() + text.size();
}

/// No formula to a spreadsheet, and quoted where RFC 4180 asks for it.
std::string guarded(std::string text) {
  constexpr std::string_view kFormulaStarts = "=+-@\t\r";
  const bool formula = !text.empty() && kFormulaStarts.find(text.front()) != std::string::npos;
  if (formula && !is_number(text)) text.insert(text.begin(), '\'');
  if (text.find_first_of(",\"\r\n") == std::string::npos) return text;
  std::string quoted = "\"";
  for (const char c : text) {
    if (c == '"') quoted += '"';
    quoted += c;
  }
  return quoted + '"';
}

std::string field(const std::string& value) { return csv_text(value); }
std::string field(const std::vector<std::string>& value) { return csv_text(join(value, ";")); }
std::string field(bool value) { return value ? "true" : "false"; }
std::string field(int64_t value) { return std::to_string(value); }
std::string field(double value) { return fmt::format("{}", value); }
template <class E>
  requires std::is_enum_v<E>
std::string field(E value) {
  return std::string(to_text(value));
}
template <class T>
std::string field(const std::optional<T>& value) {
  return value ? field(*value) : "";
}
template <class S>
std::string field(const Base64<S>& value) {
  return guarded(base64_encode(value.bytes));
}

/// What the record does not hold itself. Three decimals: microseconds of a millisecond.
struct Derived {
  std::string_view name;
  derive::Value (*of)(const CallRecord&);
};
constexpr Derived kDerived[]{{"ttft_ms", derive::ttft_ms},
                             {"ttfv_ms", derive::ttfv_ms},
                             {"decode_tps", derive::decode_tps},
                             {"e2e_ms", derive::e2e_ms}};

/// What a call took of its machine's energy, gross and less the power at rest.
void add_energy_names(std::vector<std::string>& names) {
  for (const EnergyDomain domain : kEnergyDomains) {
    names.push_back(fmt::format("{}_j", domain_name(domain)));
    names.push_back(fmt::format("{}_net_j", domain_name(domain)));
  }
  names.emplace_back("energy_attributed");
  names.emplace_back("energy_missing");
}

void add_energy(const std::vector<CallEnergy>& energy, std::vector<std::string>& fields) {
  const auto joules = [](const std::optional<double>& value) {
    return value ? fmt::format("{:.6g}", *value) : "";
  };
  std::string attributed;
  for (const EnergyDomain domain : kEnergyDomains) {
    const auto found = std::find_if(energy.begin(), energy.end(),
                                    [&](const CallEnergy& e) { return e.domain == domain; });
    const bool known = found != energy.end();
    fields.push_back(known ? joules(found->joules) : "");
    fields.push_back(known ? joules(found->net_joules) : "");
    if (known) attributed = field(found->attributed);
  }
  fields.push_back(std::move(attributed));
}

/// Why a call has no energy at all: it was not sent, nobody sampled its engine's machine, or that
/// machine told none over the time of the call.
std::string_view energy_missing(const ReportModel& model, const CallRecord& call) {
  if (!call.at.sent) return "not_sent";
  return stream_of(model.telemetry, call.cell_id) == nullptr ? "not_sampled" : "no_reading";
}

std::string row(std::vector<std::string> fields) {
  return fmt::format("{}{}", fmt::join(fields, ","), kLineEnd);
}

std::string header_row() {
  std::vector<std::string> names;
  const CallRecord record;
  visit_fields(record, [&](const char* name, const auto&) { names.emplace_back(name); });
  for (const Derived& derived : kDerived) names.emplace_back(derived.name);
  add_energy_names(names);
  return row(std::move(names));
}

std::string call_row(const ReportModel& model, const CallRecord& record,
                     const std::vector<CallEnergy>& energy) {
  std::vector<std::string> fields;
  visit_fields(record, [&](const char*, const auto& value) { fields.push_back(field(value)); });
  for (const Derived& derived : kDerived) {
    const auto value = derived.of(record);
    fields.push_back(value ? fmt::format("{:.3f}", *value) : "");
  }
  add_energy(energy, fields);
  fields.emplace_back(energy.empty() ? energy_missing(model, record) : "");
  return row(std::move(fields));
}

}  // namespace

std::string csv_text(std::string_view text) { return guarded(printable(text, kMaxText)); }

std::string render_csv(const ReportModel& model, const RenderOptions&) {
  std::string out = header_row();
  const std::vector<CallEnergy> none;
  for (size_t i = 0; i < model.calls.size(); ++i) {
    out +=
        call_row(model, model.calls[i], i < model.call_energy.size() ? model.call_energy[i] : none);
  }
  return out;
}

}  // namespace assay
