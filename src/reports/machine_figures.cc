#include "reports/machine_figures.h"

#include <fmt/format.h>

#include <algorithm>
#include <map>

#include "base/text.h"
#include "reports/tables.h"
#include "stats/machine_samples.h"

namespace assay {
namespace {

constexpr size_t kMostGaps = 12;
constexpr std::string_view kAboutHeat =
    "The warmest it became, and for which part of the time: cool, warm or hot, parted by the first "
    "and the third temperature of --heat-bands (50 and 85 °C).";
constexpr std::string_view kAboutCall =
    "The energy of all calls that were sent, failed ones too, gross, over their number. CSV has it "
    "for each call.";

std::string number(const std::optional<double>& value, int decimals) {
  return value ? grouped(*value, decimals) : "-";
}

std::string memory(const std::optional<double>& bytes) {
  return bytes ? bytes_text(static_cast<int64_t>(*bytes)) : "-";
}

std::optional<double> scaled_to_mb(const std::optional<double>& bytes) {
  return bytes ? std::optional(*bytes / 1e6) : std::nullopt;
}

const LegEnergy* energy_of(const LegTelemetry& machine, EnergyDomain domain) {
  for (const LegEnergy& energy : machine.energy) {
    if (energy.domain == domain) return &energy;
  }
  return nullptr;
}

/// `0.31`, `~0.31` where it was shared out among legs.
std::string per_token(const LegEnergy* energy) {
  if (energy == nullptr || !energy->j_per_token) return "-";
  return fmt::format("{}{:.3g}", energy->attributed ? "~" : "", *energy->j_per_token);
}

/// `warm`, `hot 34 %` where it was less warm for the rest of the time.
std::string heat_text(const std::optional<HeatShares>& heat) {
  if (!heat) return "-";
  const double percent = 100 * heat->hottest_share;
  constexpr double kAllOfIt = 99.5;
  return percent >= kAllOfIt ? std::string(to_text(heat->hottest))
                             : fmt::format("{} {:.0f} %", to_text(heat->hottest), percent);
}

/// `12.3`, `~12.3` where it was shared out.
std::string per_call(const LegEnergy* energy) {
  if (energy == nullptr || !energy->j_per_call) return "-";
  return fmt::format("{}{:.3g}", energy->attributed ? "~" : "", *energy->j_per_call);
}

/// `GPU 61 %, at 1,300 MHz, up to 84 °C, hot 61 %`: whichever are known, the device before them.
struct Device {
  std::string_view name;
  std::optional<double> percent;
  std::optional<double> mhz;
  std::optional<double> peak_temperature_c;
  std::optional<HeatShares> heat;
};

void add_device(const Device& device, std::vector<std::string>& parts) {
  const size_t first = parts.size();
  const auto add = [&](const std::optional<double>& value, std::string_view what) {
    if (value) parts.push_back(fmt::format(fmt::runtime(what), grouped(*value, 0)));
  };
  add(device.percent, "{} %");
  add(device.mhz, "at {} MHz");
  add(device.peak_temperature_c, "up to {} °C");
  if (device.heat) parts.push_back(heat_text(device.heat));
  if (parts.size() > first) parts[first] = fmt::format("{} {}", device.name, parts[first]);
}

/// A host's figure is told where it says more than that all is well.
bool is_some(const std::optional<double>& value) { return value.value_or(0) > 0; }

void add_host(const LegTelemetry& machine, std::vector<std::string>& parts) {
  if (machine.steal_percent.value_or(0) >= 1) {
    parts.push_back(fmt::format("{:.0f} % taken by other guests", *machine.steal_percent));
  }
  if (is_some(machine.peak_swap_used_bytes)) {
    parts.push_back("swap " + memory(machine.peak_swap_used_bytes));
  }
}

std::string sentence_of(const LegTelemetry& machine) {
  std::vector<std::string> parts;
  add_device({"CPU", machine.cpu_percent, machine.cpu_mhz, machine.peak_cpu_temperature_c,
              machine.cpu_heat},
             parts);
  add_device({"GPU", machine.gpu_percent, machine.gpu_mhz, machine.peak_gpu_temperature_c,
              machine.gpu_heat},
             parts);
  add_host(machine, parts);
  for (const LegEnergy& energy : machine.energy) {
    const std::string_view name = domain_name(energy.domain);
    if (energy.mean_power_w) {
      parts.push_back(fmt::format("{} {} W", name, grouped(*energy.mean_power_w, 1)));
    }
    if (energy.j_per_token) parts.push_back(per_token(&energy) + " J/token");
    if (energy.net_j_per_token) {
      parts.push_back(fmt::format("{:.3g} J/token less {} W at rest", *energy.net_j_per_token,
                                  grouped(*energy.idle_power_w, 1)));
    }
  }
  if (machine.peak_engine_memory_bytes) {
    parts.push_back("engine " + memory(machine.peak_engine_memory_bytes));
  }
  if (machine.peak_gpu_memory_bytes) {
    parts.push_back("GPU memory " + memory(machine.peak_gpu_memory_bytes));
  }
  if (machine.throttled_calls > 0) {
    parts.push_back(
        fmt::format("throttled in {} of {} calls", machine.throttled_calls, machine.sent_calls));
  }
  return join(parts, ", ");
}

/// A column of the table: what it is called, and a leg's figure in it.
struct Figure {
  Column column;
  std::string (*of)(const LegTelemetry&);
  bool is_quiet = false;  ///< Left out where it is 0 in every leg.
};

std::vector<Figure> figures() {
  const auto right = Align::kRight;
  return {
      {{"Throttled", "calls"},
       [](const LegTelemetry& t) {
         return t.throttled_calls > 0 ? fmt::format("{} of {}", t.throttled_calls, t.sent_calls)
                                      : "-";
       }},
      {{"CPU", "%"}, [](const LegTelemetry& t) { return number(t.cpu_percent, 0); }},
      {{"CPU clock", "MHz"}, [](const LegTelemetry& t) { return number(t.cpu_mhz, 0); }},
      {{"CPU", "°C peak"},
       [](const LegTelemetry& t) { return number(t.peak_cpu_temperature_c, 0); }},
      {{"CPU", "heat", right, 0, 0, kAboutHeat},
       [](const LegTelemetry& t) { return heat_text(t.cpu_heat); }},
      {{"CPU packages", "W"},
       [](const LegTelemetry& t) {
         const LegEnergy* energy = energy_of(t, EnergyDomain::kCpuPackages);
         return energy != nullptr ? number(energy->mean_power_w, 1) : "-";
       }},
      {{"CPU packages", "J/token", right, 0, 0,
        "The energy of all processor packages while calls were in flight, gross, over the output "
        "tokens. With ~: other legs' calls were in flight meanwhile, and each moment's energy was "
        "shared out evenly among the calls."},
       [](const LegTelemetry& t) { return per_token(energy_of(t, EnergyDomain::kCpuPackages)); }},
      {{"CPU packages", "J/call", right, 0, 0, kAboutCall},
       [](const LegTelemetry& t) { return per_call(energy_of(t, EnergyDomain::kCpuPackages)); }},
      {{"GPU", "%"}, [](const LegTelemetry& t) { return number(t.gpu_percent, 0); }},
      {{"GPU clock", "MHz"}, [](const LegTelemetry& t) { return number(t.gpu_mhz, 0); }},
      {{"GPU", "°C peak"},
       [](const LegTelemetry& t) { return number(t.peak_gpu_temperature_c, 0); }},
      {{"GPU", "heat", right, 0, 0, kAboutHeat},
       [](const LegTelemetry& t) { return heat_text(t.gpu_heat); }},
      {{"GPU", "W"},
       [](const LegTelemetry& t) {
         const LegEnergy* energy = energy_of(t, EnergyDomain::kGpus);
         return energy != nullptr ? number(energy->mean_power_w, 1) : "-";
       }},
      {{"GPU", "J/token", right, 0, 0,
        "The energy of the graphics cards while calls were in flight, gross, over the output "
        "tokens. Not to be compared with that of processor packages."},
       [](const LegTelemetry& t) { return per_token(energy_of(t, EnergyDomain::kGpus)); }},
      {{"GPU", "J/call", right, 0, 0, kAboutCall},
       [](const LegTelemetry& t) { return per_call(energy_of(t, EnergyDomain::kGpus)); }},
      {{"GPU", "at power limit"},
       [](const LegTelemetry& t) {
         return t.power_capped_share ? fmt::format("{:.0f} %", 100 * *t.power_capped_share) : "-";
       }},
      {{"Engine", "memory"},
       [](const LegTelemetry& t) { return memory(t.peak_engine_memory_bytes); }},
      {{"GPU", "memory"}, [](const LegTelemetry& t) { return memory(t.peak_gpu_memory_bytes); }},
      {{"Steal", "%", right, 0, 0, "Of the processors' time, taken by other guests of the host."},
       [](const LegTelemetry& t) { return number(t.steal_percent, 0); },
       true},
      {{"Swap", "peak"},
       [](const LegTelemetry& t) {
         return is_some(t.peak_swap_used_bytes) ? memory(t.peak_swap_used_bytes) : "0";
       },
       true},
      {{"Disks", "read MB/s"},
       [](const LegTelemetry& t) { return number(scaled_to_mb(t.disk_read_bytes_per_s), 0); },
       true},
  };
}

bool says_something(const Figure& figure, const LegTelemetry& machine) {
  const std::string text = figure.of(machine);
  return text != "-" && !(figure.is_quiet && text == "0");
}

/// What nobody can tell of a machine, with the reason of each, in one sentence.
std::string unknown_text(const TelemetryStream& stream) {
  const auto has = [&](std::string_view host, std::string_view card) {
    if (!stream.missing.contains(std::string(host))) return true;
    for (int64_t gpu = 0; gpu < stream.gpus; ++gpu) {
      if (!stream.missing.contains(fmt::format("gpu{}_{}", gpu, card))) return true;
    }
    return false;
  };
  std::vector<std::string> parts;
  const auto add = [&](std::string_view what, const std::string& host, std::string_view card) {
    if (!has(host, card)) {
      parts.push_back(fmt::format("no {} ({})", what, stream.missing.at(host)));
    }
  };
  add("temperature", "cpu_temperature_c", "temperature_c");
  add("power", "cpu_power_w", "power_w");
  add("clock", "cpu_mhz", "mhz");
  return parts.empty() ? "" : join(parts, ", ");
}

}  // namespace

std::vector<std::string> machine_notes(const ReportModel& model) {
  std::vector<std::string> notes;
  if (model.telemetry.empty()) return notes;
  const std::vector<std::string> labels = cell_labels(model.meta);
  for (size_t i = 0; i < model.meta.cells.size(); ++i) {
    const auto& machine = model.cells[i].telemetry;
    std::string sentence = machine ? sentence_of(*machine) : std::string();
    if (machine && machine->missing == "remote") sentence = "remote, not sampled";
    const bool was_called = model.cells[i].ok + model.cells[i].failed > 0;
    if (machine && machine->missing == "no_samples" && was_called)
      sentence = "no sample while its calls ran";
    if (sentence.empty()) continue;
    notes.push_back(
        fmt::format("machine{}: {}", labels.size() > 1 ? " of " + labels[i] : "", sentence));
  }
  for (const TelemetryStream& stream : model.telemetry) {
    const std::string unknown = unknown_text(stream);
    if (stream.cells.empty() || unknown.empty()) continue;
    notes.push_back(fmt::format("node {} tells {}", stream.node, unknown));
  }
  return notes;
}

std::optional<Table> machine_table(const ReportModel& model) {
  std::vector<Figure> shown;
  for (Figure& figure : figures()) {
    const bool any = std::any_of(model.legs.begin(), model.legs.end(), [&](const LegResult& leg) {
      return leg.telemetry && leg.telemetry->missing.empty() &&
             says_something(figure, *leg.telemetry);
    });
    if (any) shown.push_back(std::move(figure));
  }
  if (shown.empty()) return std::nullopt;
  const std::vector<std::string> labels = cell_labels(model.meta);
  Table table;
  table.columns.push_back({"Leg", "", Align::kLeft});
  for (const Figure& figure : shown) table.columns.push_back(figure.column);
  for (const LegResult& leg : model.legs) {
    if (!leg.telemetry || !leg.telemetry->missing.empty()) continue;
    std::string name = fmt::format("{} · {}", leg.prompt_id, to_text(leg.phase));
    if (leg.split) name += fmt::format(" · {}", to_text(leg.prefix));
    if (leg.concurrency > 1) name += fmt::format(" · {} at once", leg.concurrency);
    if (labels.size() > 1 && leg.cell >= 0) {
      name = labels[static_cast<size_t>(leg.cell)] + " · " + name;
    }
    if (!leg.marks.empty()) name += " !";
    std::vector<TableCell> row{name};
    for (const Figure& figure : shown) row.emplace_back(figure.of(*leg.telemetry));
    table.rows.push_back(std::move(row));
  }
  return table;
}

std::vector<std::string> machine_gaps(const ReportModel& model) {
  std::vector<std::string> gaps;
  if (model.telemetry.empty()) return gaps;
  std::vector<std::string> remote;
  const std::vector<std::string> labels = cell_labels(model.meta);
  for (size_t i = 0; i < model.meta.cells.size(); ++i) {
    if (stream_of(model.telemetry, model.meta.cells[i].id) == nullptr) remote.push_back(labels[i]);
  }
  if (!remote.empty()) {
    gaps.push_back(
        fmt::format("remote: {}: the engine's machine was not sampled; --sample-node "
                    "does it",
                    join(remote, ", ")));
  }
  // Several columns of one reason in one sentence.
  for (const TelemetryStream& stream : model.telemetry) {
    std::map<std::string, std::vector<std::string>> columns;
    for (const auto& [column, reason] : stream.missing) columns[reason].push_back(column);
    for (const auto& [reason, names] : columns) {
      gaps.push_back(fmt::format("{}no {}: {}",
                                 model.telemetry.size() > 1 ? stream.node + ": " : "",
                                 join(names, ", "), reason));
    }
  }
  if (gaps.size() > kMostGaps) gaps.resize(kMostGaps);
  return gaps;
}

}  // namespace assay
