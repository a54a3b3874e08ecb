#include "telemetry/nvml.h"

#include <dlfcn.h>

#include <algorithm>
#include <array>

#include "base/text.h"

namespace assay {
namespace {

// The library's interface as its header states it: nvmlReturn_t is an int, 0 is success, a device
// is an opaque pointer.
using Handle = void*;
struct Utilization {
  unsigned gpu = 0;
  unsigned memory = 0;
};
struct MemoryInfo {
  unsigned long long total = 0;
  unsigned long long free = 0;
  unsigned long long used = 0;
};
constexpr unsigned kMostDevices = 16;
constexpr unsigned kTemperatureGpu = 0;
constexpr unsigned kSlowdownThreshold = 1;
constexpr unsigned kClockSm = 1;
constexpr unsigned kClockMemory = 2;

constexpr unsigned long long kSwPowerCap = 0x4;
constexpr unsigned long long kHwSlowdown = 0x8;
constexpr unsigned long long kSwThermal = 0x20;
constexpr unsigned long long kHwThermal = 0x40;
constexpr unsigned long long kHwPowerBrake = 0x80;

template <class Function>
void find(void* library, const char* name, Function*& function) {
  function = reinterpret_cast<Function*>(::dlsym(library, name));
}

/// The value of a function of one device and one result.
template <class T>
std::optional<double> value_of(int (*function)(Handle, T*), Handle device, double factor = 1) {
  T value{};
  if (function == nullptr || function(device, &value) != 0) return std::nullopt;
  return static_cast<double>(value) * factor;
}

}  // namespace

struct Nvml::State {
  void* library = nullptr;
  int (*shutdown)() = nullptr;
  int (*get_utilization)(Handle, Utilization*) = nullptr;
  int (*get_memory)(Handle, MemoryInfo*) = nullptr;
  int (*get_temperature)(Handle, unsigned, unsigned*) = nullptr;
  int (*get_clock)(Handle, unsigned, unsigned*) = nullptr;
  int (*get_power)(Handle, unsigned*) = nullptr;
  int (*get_energy)(Handle, unsigned long long*) = nullptr;
  int (*get_reasons)(Handle, unsigned long long*) = nullptr;
  std::vector<Handle> handles;
  std::vector<Device> devices;

  [[nodiscard]] std::optional<double> clock(Handle device, unsigned kind) const {
    unsigned mhz = 0;
    if (get_clock == nullptr || get_clock(device, kind, &mhz) != 0) return std::nullopt;
    return mhz;
  }
};

Nvml::Nvml() : state_(std::make_unique<State>()) {}

std::unique_ptr<Nvml> Nvml::load(const std::string& library, std::string& why) {
  std::unique_ptr<Nvml> nvml(new Nvml());
  State& s = *nvml->state_;
  s.library = ::dlopen(library.c_str(), RTLD_NOW | RTLD_LOCAL);
  if (s.library == nullptr) {
    why = "NVIDIA's management library is not there";
    return nullptr;
  }
  int (*init)() = nullptr;
  int (*get_count)(unsigned*) = nullptr;
  int (*get_handle)(unsigned, Handle*) = nullptr;
  int (*get_name)(Handle, char*, unsigned) = nullptr;
  int (*get_threshold)(Handle, unsigned, unsigned*) = nullptr;
  find(s.library, "nvmlInit_v2", init);
  find(s.library, "nvmlDeviceGetCount_v2", get_count);
  find(s.library, "nvmlDeviceGetHandleByIndex_v2", get_handle);
  find(s.library, "nvmlDeviceGetName", get_name);
  find(s.library, "nvmlDeviceGetTemperatureThreshold", get_threshold);
  find(s.library, "nvmlDeviceGetUtilizationRates", s.get_utilization);
  find(s.library, "nvmlDeviceGetMemoryInfo", s.get_memory);
  find(s.library, "nvmlDeviceGetTemperature", s.get_temperature);
  find(s.library, "nvmlDeviceGetClockInfo", s.get_clock);
  find(s.library, "nvmlDeviceGetPowerUsage", s.get_power);
  find(s.library, "nvmlDeviceGetTotalEnergyConsumption", s.get_energy);
  find(s.library, "nvmlDeviceGetCurrentClocksEventReasons", s.get_reasons);
  if (s.get_reasons == nullptr) {
    find(s.library, "nvmlDeviceGetCurrentClocksThrottleReasons", s.get_reasons);
  }
  unsigned count = 0;
  if (init == nullptr || get_count == nullptr || get_handle == nullptr || init() != 0) {
    why = "NVIDIA's management library finds no driver";
    return nullptr;
  }
  find(s.library, "nvmlShutdown", s.shutdown);
  if (get_count(&count) != 0) count = 0;
  for (unsigned i = 0; i < std::min(count, kMostDevices); ++i) {
    Handle handle = nullptr;
    if (get_handle(i, &handle) != 0) continue;
    std::array<char, 96> name{};
    const bool named = get_name != nullptr && get_name(handle, name.data(), name.size() - 1) == 0;
    Device device{named ? printable(name.data(), 80) : "NVIDIA", {}, {}};
    unsigned limit = 0;
    if (get_threshold != nullptr && get_threshold(handle, kSlowdownThreshold, &limit) == 0) {
      device.limit_c = limit;
    }
    MemoryInfo memory;
    if (s.get_memory != nullptr && s.get_memory(handle, &memory) == 0) {
      device.memory_bytes = static_cast<double>(memory.total);
    }
    s.handles.push_back(handle);
    s.devices.push_back(std::move(device));
  }
  return nvml;
}

Nvml::~Nvml() {
  if (state_->shutdown != nullptr) state_->shutdown();
  if (state_->library != nullptr) ::dlclose(state_->library);
}

const std::vector<Nvml::Device>& Nvml::devices() const { return state_->devices; }

void Nvml::read(size_t device, GpuSample& out) const {
  const State& s = *state_;
  Handle handle = s.handles[device];
  Utilization use;
  if (s.get_utilization != nullptr && s.get_utilization(handle, &use) == 0) out.percent = use.gpu;
  MemoryInfo memory;
  if (s.get_memory != nullptr && s.get_memory(handle, &memory) == 0) {
    out.memory_used_bytes = static_cast<double>(memory.used);
  }
  unsigned celsius = 0;
  if (s.get_temperature != nullptr && s.get_temperature(handle, kTemperatureGpu, &celsius) == 0) {
    out.temperature_c = celsius;
  }
  out.mhz = s.clock(handle, kClockSm);
  out.memory_mhz = s.clock(handle, kClockMemory);
  out.power_w = value_of(s.get_power, handle, 1e-3);
  out.energy_j = value_of(s.get_energy, handle, 1e-3);
  unsigned long long reasons = 0;
  if (s.get_reasons != nullptr && s.get_reasons(handle, &reasons) == 0) {
    out.throttle = throttle_of_nvml(reasons);
  }
}

unsigned throttle_of_nvml(unsigned long long reasons) {
  unsigned bits = 0;
  if ((reasons & kSwPowerCap) != 0) bits |= throttle::kPowerCap;
  if ((reasons & (kSwThermal | kHwThermal)) != 0) bits |= throttle::kThermal;
  if ((reasons & (kHwSlowdown | kHwPowerBrake)) != 0) bits |= throttle::kHardware;
  return bits;
}

}  // namespace assay
