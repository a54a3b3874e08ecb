#include "run/run_telemetry.h"

#include <fmt/format.h>

#include <algorithm>
#include <boost/asio/post.hpp>

#include "base/text.h"
#include "net/own_host.h"
#include "run/machine_guard.h"

namespace assay {
namespace {

constexpr MonoNs kSecondNs = 1'000'000'000;
/// A sample comes a moment early or late; each second of a rate of 1 has its own.
constexpr MonoNs kEarlyNs = 50'000'000;

/// Of the cells of this machine whose engine we did not start.
std::vector<uint16_t> listening_ports(const RunMeta& meta, const std::vector<std::string>& local) {
  std::vector<uint16_t> ports;
  for (const Cell& cell : meta.cells) {
    if (cell.managed || std::find(local.begin(), local.end(), cell.id) == local.end()) continue;
    const auto url = parse_url(cell.url);
    if (!url || std::find(ports.begin(), ports.end(), url->port) != ports.end()) continue;
    ports.push_back(url->port);
  }
  return ports;
}

}  // namespace

SampledCells sampled_cells(const RunMeta& meta, const std::vector<std::string>& node_names) {
  SampledCells cells;
  cells.nodes.resize(node_names.size());
  const std::vector<OwnAddress> own = own_addresses();
  for (const Cell& cell : meta.cells) {
    const std::string node = cell.id.substr(0, cell.id.find(':'));
    const auto named = std::find(node_names.begin(), node_names.end(), node);
    if (named != node_names.end()) {
      cells.nodes[static_cast<size_t>(named - node_names.begin())].push_back(cell.id);
      continue;
    }
    const auto url = parse_url(cell.url);
    if (url && is_own_host(*url, own)) cells.local.push_back(cell.id);
  }
  return cells;
}

RunTelemetry::RunTelemetry(const Setup& setup)
    : writer_(setup.writer), nodes_(setup.session.nodes), room_(setup.written_bytes) {
  if (setup.spec.sample_rate <= 0) return;
  std::vector<std::string> names;
  for (const auto& node : nodes_) names.push_back(node->node());
  SampledCells cells = sampled_cells(setup.meta, names);
  for (size_t i = 0; i < nodes_.size(); ++i) {
    NodeSampler::Relay relay;
    relay.number = static_cast<int64_t>(i) + 1;
    relay.epoch = setup.epoch;
    relay.cells = std::move(cells.nodes[i]);
    relay.on_line = [this, number = relay.number](std::string line, bool is_header) {
      keep(std::move(line), number, is_header);
    };
    relay.on_end = [&session = setup.session, &note = setup.note,
                    node = nodes_[i]->node()](const std::string& why) {
      boost::asio::post(session.io, [&note, node, why] {
        note(fmt::format("node {}: its samples end before the run does: {}", printable(node, 80),
                         why));
      });
    };
    nodes_[i]->start(std::move(relay));
  }
  const auto tell = [&session = setup.session,
                     &events = setup.events](const TelemetrySample& sample) {
    boost::asio::post(session.io, [&events, sample] {
      events.telemetry(sample, static_cast<double>(sample.at_ns) / kSecondNs);
    });
  };
  const double rate = sampling_rate(setup.spec);
  watched_.ports = listening_ports(setup.meta, cells.local);
  SamplerOptions options{machine_roots(), rate, setup.epoch, watched_};
  sampler_.emplace(
      std::move(options),
      [this, tell, local = std::move(cells.local), rate, epoch = setup.epoch, has_header = false,
       told = -kSecondNs](const TelemetryStream& machine, const TelemetrySample& sample) mutable {
        {
          const std::lock_guard lock(mutex_);
          readings_.see(sample, epoch + sample.at_ns);
        }
        if (!has_header) {
          TelemetryStream about = machine;
          about.node = "local";
          about.cells = local;
          about.rate_hz = rate;
          keep(telemetry_header_line(about, 0), 0, true);
          has_header = true;
        }
        keep(telemetry_row_line(machine, sample, 0), 0, false);
        if (sample.at_ns - told < kSecondNs - kEarlyNs) return;
        told = sample.at_ns;
        tell(sample);
      });
}

RunTelemetry::~RunTelemetry() {
  sampler_.reset();
  nodes_.clear();  // Their threads write by way of this object.
}

void RunTelemetry::watch(const std::vector<std::unique_ptr<ManagedEngine>>& engines) {
  std::vector<int> processes;
  for (const auto& engine : engines) {
    if (const auto pid = engine->pid()) processes.push_back(*pid);
  }
  if (!sampler_ || processes == watched_.processes) return;
  watched_.processes = std::move(processes);
  sampler_->watch(watched_);
}

std::optional<MachineReadings> RunTelemetry::latest() const {
  const std::lock_guard lock(mutex_);
  if (readings_.samples == 0) return std::nullopt;
  return readings_;
}

void RunTelemetry::keep(std::string line, int64_t stream, bool is_header) {
  if (!is_header) {
    const std::lock_guard lock(mutex_);
    if (!room_.take(line.size() + 1, stream)) return;
  }
  // A full queue ends the run by way of its records; samples may be lost.
  [[maybe_unused]] const bool queued = writer_.telemetry(std::move(line));
}

}  // namespace assay
