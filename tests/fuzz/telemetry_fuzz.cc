#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>

#include "base/check.h"
#include "model/telemetry.h"
#include "stats/energy.h"
#include "store/telemetry_file.h"
#include "store/telemetry_relay.h"
#include "telemetry/nvidia_smi.h"

/// No telemetry file and no line of another machine may crash what reads it; what is read is in
/// order of time, and figures can be made of it.
extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  using namespace assay;
  const std::string_view text(reinterpret_cast<const char*>(data), size);
  TelemetryParser parser;
  size_t columns = 0;
  std::string_view rest = text;
  while (!rest.empty()) {
    const size_t end = std::min(rest.find('\n'), rest.size());
    const std::string_view line = rest.substr(0, end);
    rest.remove_prefix(std::min(end + 1, rest.size()));
    parser.add(line);
    (void)relayed_header(line, {}, 1, columns);
    if (const auto row = relayed_row(line, columns, 1, 12.5)) {
      ASSAY_CHECK(relayed_row(*row, columns, 2, 0).has_value());
    }
    (void)parse_clock_line(line);
  }
  for (const TelemetryStream& stream : parser.take()) {
    for (size_t i = 1; i < stream.samples.size(); ++i) {
      ASSAY_CHECK(stream.samples[i - 1].at_ns < stream.samples[i].at_ns);
    }
    const Span span{0, 1'000'000'000};
    for (const EnergyDomain domain : {EnergyDomain::kCpuPackages, EnergyDomain::kGpus}) {
      (void)EnergyMeter(stream, domain).joules({&span, 1});
      (void)idle_power_w(stream, domain, span.to_ns);
    }
    (void)telemetry_header_line(stream, 0);
  }
  (void)parse_nvidia_smi(text);
  return 0;
}
