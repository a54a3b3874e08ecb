#include <algorithm>
#include <charconv>
#include <cstdlib>
#include <nlohmann/json.hpp>

#include "base/files.h"
#include "base/text.h"
#include "net/own_host.h"
#include "process/command.h"
#include "run/environment.h"

namespace assay {
namespace {

namespace fs = std::filesystem;

constexpr int64_t kMaxFileBytes = 4 << 20;
constexpr size_t kMaxText = 200;
constexpr size_t kMaxGpus = 32;
constexpr Nanos kSmiTimeout = std::chrono::seconds(5);

std::optional<std::string> text_of(const fs::path& path) {
  auto text = read_file(path, kMaxFileBytes);
  if (!text) return std::nullopt;
  std::string plain = printable(trim(*text), kMaxText);
  return plain.empty() ? std::nullopt : std::optional(std::move(plain));
}

/// The value behind the first line that begins with `key`, up to the line's end; quotes removed.
std::optional<std::string> value_after(const fs::path& path, std::string_view key,
                                       std::string_view between) {
  const auto text = read_file(path, kMaxFileBytes);
  if (!text) return std::nullopt;
  for (const std::string& line : split(*text, '\n')) {
    if (line.rfind(key, 0) != 0) continue;
    const size_t at = line.find(between);
    if (at == std::string::npos) continue;
    std::string_view value = trim(std::string_view(line).substr(at + between.size()));
    if (value.size() > 1 && value.front() == '"' && value.back() == '"') {
      value = value.substr(1, value.size() - 2);
    }
    if (!value.empty()) return printable(value, kMaxText);
  }
  return std::nullopt;
}

std::optional<int64_t> whole(std::string_view text) {
  int64_t value = 0;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), value);
  if (error != std::errc() || end == text.data()) return std::nullopt;
  return value;
}

std::optional<int64_t> count_processors(const fs::path& cpuinfo) {
  const auto text = read_file(cpuinfo, kMaxFileBytes);
  if (!text) return std::nullopt;
  const auto lines = split(*text, '\n');
  const int64_t n = std::count_if(lines.begin(), lines.end(), [](const std::string& line) {
    return line.rfind("processor", 0) == 0;
  });
  return n > 0 ? std::optional(n) : std::nullopt;
}

/// cgroup v2's `cpu.max`: `200000 100000` is two processors, `max 100000` all.
std::optional<double> cpu_limit(const std::string& text) {
  const auto parts = split(text, ' ');
  if (parts.size() != 2) return std::nullopt;
  const auto quota = whole(parts[0]);
  const auto period = whole(parts[1]);
  if (!quota || !period || *period <= 0) return std::nullopt;
  return static_cast<double>(*quota) / static_cast<double>(*period);
}

void read_limits(const fs::path& cgroup, Environment& e) {
  const auto cpu = text_of(cgroup / "cpu.max");
  const auto memory = text_of(cgroup / "memory.max");
  if (cpu) e.cpu_limit = cpu_limit(*cpu);
  if (memory) e.memory_limit_bytes = whole(*memory);
  if (!e.cpu_limit) e.missing["cpu_limit"] = cpu ? "no limit" : "no cgroup v2 limit is visible";
  if (!e.memory_limit_bytes) {
    e.missing["memory_limit_bytes"] = memory ? "no limit" : "no cgroup v2 limit is visible";
  }
}

/// `name, driver version` lines.
std::vector<Gpu> nvidia_gpus(const std::string& lines) {
  std::vector<Gpu> gpus;
  for (const std::string& line : split(lines, '\n')) {
    const size_t comma = line.rfind(',');
    if (comma == std::string::npos || gpus.size() >= kMaxGpus) continue;
    gpus.push_back({printable(trim(std::string_view(line).substr(0, comma)), kMaxText),
                    printable(trim(std::string_view(line).substr(comma + 1)), kMaxText)});
  }
  return gpus;
}

/// The kernel's own list: vendor and device numbers, and which driver has the card.
std::vector<Gpu> drm_gpus(const fs::path& drm) {
  std::vector<Gpu> gpus;
  std::error_code error;
  std::vector<fs::path> cards;
  for (fs::directory_iterator entry(drm, error), end; !error && entry != end;
       entry.increment(error)) {
    const std::string name = entry->path().filename().string();
    if (name.rfind("card", 0) == 0 && name.find('-') == std::string::npos) {
      cards.push_back(entry->path());
    }
  }
  std::sort(cards.begin(), cards.end());
  for (const fs::path& card : cards) {
    if (gpus.size() >= kMaxGpus) break;
    const auto vendor = text_of(card / "device/vendor");
    const auto device = text_of(card / "device/device");
    if (!vendor || !device) continue;
    const fs::path driver = fs::read_symlink(card / "device/driver", error);
    gpus.push_back({"PCI " + *vendor + ":" + *device, error ? "" : driver.filename().string()});
  }
  return gpus;
}

std::string compiler() {
#if defined(__clang__)
  return std::string("clang ") + __clang_version__;
#elif defined(__GNUC__)
  return std::string("gcc ") + __VERSION__;
#else
  return "unknown";
#endif
}

}  // namespace

EnvironmentSource this_machine() {
  EnvironmentSource source;
  source.nvidia_smi = []() -> std::string {
    std::error_code error;
    // Where no device is, its tool would only take time.
    if (!fs::exists("/dev/nvidiactl", error) && !fs::exists("/dev/dxg", error)) return {};
    const auto done =
        run_command({"nvidia-smi", "--query-gpu=name,driver_version", "--format=csv,noheader"}, "",
                    kSmiTimeout);
    return done && done->exit_code == 0 ? done->output : std::string();
  };
  return source;
}

std::optional<int64_t> available_memory(const EnvironmentSource& source) {
  const auto text = value_after(source.root / "proc/meminfo", "MemAvailable", ":");
  const auto kib = text ? whole(*text) : std::nullopt;
  if (!kib) return std::nullopt;
  int64_t bytes = *kib * 1024;
  const fs::path cgroup = source.root / "sys/fs/cgroup";
  const auto most = text_of(cgroup / "memory.max");
  const auto used = text_of(cgroup / "memory.current");
  const auto limit = most ? whole(*most) : std::nullopt;
  const auto taken = used ? whole(*used) : std::nullopt;
  if (limit && taken) bytes = std::clamp<int64_t>(*limit - *taken, 0, bytes);
  return bytes;
}

Environment read_environment(const EnvironmentSource& source) {
  const fs::path& root = source.root;
  Environment e;
  const auto because = [&](bool known, const char* member, const char* reason) {
    if (!known) e.missing[member] = reason;
  };
  e.cpu_model = value_after(root / "proc/cpuinfo", "model name", ":");
  because(e.cpu_model.has_value(), "cpu_model", "/proc/cpuinfo names no model");
  e.cores = count_processors(root / "proc/cpuinfo");
  because(e.cores.has_value(), "cores", "/proc/cpuinfo lists no processor");
  e.governor = text_of(root / "sys/devices/system/cpu/cpu0/cpufreq/scaling_governor");
  because(e.governor.has_value(), "governor", "the kernel shows no frequency governor");
  if (const auto total = value_after(root / "proc/meminfo", "MemTotal", ":")) {
    if (const auto kib = whole(*total)) e.memory_bytes = *kib * 1024;
  }
  because(e.memory_bytes.has_value(), "memory_bytes", "/proc/meminfo has no MemTotal");
  e.kernel = text_of(root / "proc/sys/kernel/osrelease");
  because(e.kernel.has_value(), "kernel", "/proc/sys/kernel/osrelease cannot be read");
  e.os = value_after(root / "etc/os-release", "PRETTY_NAME", "=");
  because(e.os.has_value(), "os", "/etc/os-release has no PRETTY_NAME");
  read_limits(root / "sys/fs/cgroup", e);
  if (source.nvidia_smi) e.gpus = nvidia_gpus(source.nvidia_smi());
  if (e.gpus.empty()) e.gpus = drm_gpus(root / "sys/class/drm");
  because(!e.gpus.empty(), "gpus", "neither nvidia-smi nor the kernel names one");
  e.compiler = compiler();
  return e;
}

std::string raw_environment_json() {
  const auto variable = [](const char* name) {
    const char* value = std::getenv(name);
    return value != nullptr ? nlohmann::ordered_json(value) : nlohmann::ordered_json(nullptr);
  };
  nlohmann::ordered_json addresses = nlohmann::ordered_json::array();
  for (const OwnAddress& own : own_addresses()) {
    addresses.push_back({{"interface", own.interface}, {"address", own.address}});
  }
  std::error_code error;
  const nlohmann::ordered_json json{{"schema", "assay.environment_raw/1"},
                                    {"host", host_name()},
                                    {"user", variable("USER")},
                                    {"home", variable("HOME")},
                                    {"working_directory", fs::current_path(error).string()},
                                    {"addresses", std::move(addresses)}};
  return json.dump(2, ' ', false, nlohmann::ordered_json::error_handler_t::replace) + "\n";
}

}  // namespace assay
