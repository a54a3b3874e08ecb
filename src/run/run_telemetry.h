#pragma once

#include <memory>
#include <mutex>
#include <optional>
#include <string>
#include <vector>

#include "model/options.h"
#include "model/run.h"
#include "run/live_events.h"
#include "run/machine_readings.h"
#include "run/session.h"
#include "store/telemetry_file.h"
#include "store/writer.h"
#include "telemetry/sampler.h"

namespace assay {

/// Which cells' engines run on which machine: those of a node that was named, by the first part of
/// their ids; of the others those whose address leads to this machine.
struct SampledCells {
  std::vector<std::string> local;
  std::vector<std::vector<std::string>> nodes;  ///< In the order of `node_names`.
};
SampledCells sampled_cells(const RunMeta& meta, const std::vector<std::string>& node_names);

/// Samples this machine and the nodes while a run goes on, into its telemetry.jsonl.
class RunTelemetry {
 public:
  struct Setup {
    Session& session;
    const RunMeta& meta;
    const RunSpec& spec;
    RunWriter& writer;
    LiveEvents& events;        ///< Hears of this machine once a second, on the load thread.
    const OnNote& note;        ///< Hears of a node whose samples end, on the load thread.
    MonoNs epoch = 0;          ///< The run's start.
    size_t written_bytes = 0;  ///< By earlier sessions of the run.
  };
  /// Samples nothing when --sample-rate is 0. What `setup` refers to must outlive it, and handlers
  /// of the session's loop that are still queued.
  explicit RunTelemetry(const Setup& setup);
  ~RunTelemetry();
  RunTelemetry(const RunTelemetry&) = delete;
  RunTelemetry& operator=(const RunTelemetry&) = delete;

  /// The engines that we started, beside those that listen on this machine, from the next sample
  /// on. One thread.
  void watch(const std::vector<std::unique_ptr<ManagedEngine>>& engines);
  /// What this machine's sensors said last, for gates. Absent before the first sample. Any thread.
  [[nodiscard]] std::optional<MachineReadings> latest() const;

 private:
  void keep(std::string line, int64_t stream, bool is_header);

  RunWriter& writer_;
  std::vector<std::unique_ptr<NodeSampler>>& nodes_;
  WatchedEngines watched_;
  mutable std::mutex mutex_;  ///< Guards `room_` and `readings_`: samplers' threads write.
  TelemetryRoom room_;
  MachineReadings readings_;
  std::optional<Sampler> sampler_;
};

}  // namespace assay
