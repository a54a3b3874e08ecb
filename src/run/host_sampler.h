#pragma once

#include <cstdint>
#include <functional>
#include <memory>
#include <optional>

namespace assay {

/// One reading of the machine that Assay runs on; absent where there is no sensor.
struct HostSample {
  std::optional<double> cpu_percent;    ///< All cores together, 0 to 100.
  std::optional<double> disk_mb_per_s;  ///< Read and written, all block devices.
  std::optional<int64_t> open_files;    ///< Of this process.
};

/// Reads /proc once a second on a thread of its own, so that reading delays no stamp.
class HostSampler {
 public:
  /// `on_sample` runs on the sampling thread.
  explicit HostSampler(std::function<void(const HostSample&)> on_sample);
  ~HostSampler();
  HostSampler(const HostSampler&) = delete;
  HostSampler& operator=(const HostSampler&) = delete;

 private:
  struct State;
  std::unique_ptr<State> state_;
};

}  // namespace assay
