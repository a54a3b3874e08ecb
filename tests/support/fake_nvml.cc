// NVIDIA's management library as far as Assay calls it: a data centre card that tells everything,
// and an old one that tells little. 0 is success, 3 is "not supported".

#include <cstring>

namespace {

struct Utilization {
  unsigned gpu;
  unsigned memory;
};
struct Memory {
  unsigned long long total;
  unsigned long long free;
  unsigned long long used;
};

constexpr int kSuccess = 0;
constexpr int kNotSupported = 3;

int cards[2];
bool is_first(const void* device) { return device == &cards[0]; }

}  // namespace

extern "C" {

int nvmlInit_v2() { return kSuccess; }
int nvmlShutdown() { return kSuccess; }

int nvmlDeviceGetCount_v2(unsigned* count) {
  *count = 2;
  return kSuccess;
}

int nvmlDeviceGetHandleByIndex_v2(unsigned index, void** device) {
  *device = &cards[index];
  return kSuccess;
}

int nvmlDeviceGetName(void* device, char* name, unsigned length) {
  std::strncpy(name, is_first(device) ? "NVIDIA A2" : "NVIDIA GeForce GT 710", length);
  return kSuccess;
}

int nvmlDeviceGetUtilizationRates(void* device, Utilization* use) {
  if (!is_first(device)) return kNotSupported;
  *use = {93, 41};
  return kSuccess;
}

int nvmlDeviceGetMemoryInfo(void* device, Memory* memory) {
  *memory = is_first(device) ? Memory{16'106'127'360ULL, 6'106'127'360ULL, 10'000'000'000ULL}
                             : Memory{2'147'483'648ULL, 2'000'000'000ULL, 147'483'648ULL};
  return kSuccess;
}

int nvmlDeviceGetTemperature(void* device, unsigned, unsigned* celsius) {
  *celsius = is_first(device) ? 84 : 45;
  return kSuccess;
}

int nvmlDeviceGetTemperatureThreshold(void* device, unsigned kind, unsigned* celsius) {
  if (!is_first(device) || kind != 1) return kNotSupported;
  *celsius = 95;
  return kSuccess;
}

int nvmlDeviceGetClockInfo(void* device, unsigned kind, unsigned* mhz) {
  if (!is_first(device)) return kNotSupported;
  *mhz = kind == 2 ? 6251 : 1290;
  return kSuccess;
}

int nvmlDeviceGetPowerUsage(void* device, unsigned* milliwatts) {
  if (!is_first(device)) return kNotSupported;
  *milliwatts = 59'870;
  return kSuccess;
}

int nvmlDeviceGetTotalEnergyConsumption(void* device, unsigned long long* millijoules) {
  if (!is_first(device)) return kNotSupported;
  *millijoules = 123'456'789ULL;
  return kSuccess;
}

int nvmlDeviceGetCurrentClocksThrottleReasons(void* device, unsigned long long* reasons) {
  *reasons = is_first(device) ? 0x4ULL | 0x40ULL : 0x1ULL;
  return kSuccess;
}

}  // extern "C"
