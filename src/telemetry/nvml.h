#pragma once

#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "model/telemetry.h"

namespace assay {

/// NVIDIA's management library, loaded where it is there. One thread.
class Nvml {
 public:
  /// Null when the library cannot be loaded, lacks a function that is needed, or sees no driver;
  /// `why` then says which.
  static std::unique_ptr<Nvml> load(const std::string& library, std::string& why);
  ~Nvml();
  Nvml(const Nvml&) = delete;
  Nvml& operator=(const Nvml&) = delete;

  struct Device {
    std::string name;
    std::optional<double> memory_bytes;
    std::optional<double> limit_c;  ///< From there on it slows itself down.
  };
  [[nodiscard]] const std::vector<Device>& devices() const;
  /// `device` is an index into devices(). What the card does not tell stays absent.
  void read(size_t device, GpuSample& out) const;

 private:
  Nvml();
  struct State;
  std::unique_ptr<State> state_;
};

/// Bits of namespace throttle from NVML's clock event reasons: idling and chosen clocks are none.
unsigned throttle_of_nvml(unsigned long long reasons);

}  // namespace assay
