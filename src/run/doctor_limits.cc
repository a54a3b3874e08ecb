#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <map>
#include <set>

#include "base/text.h"
#include "process/command.h"
#include "run/doctor.h"
#include "telemetry/cgroup_folders.h"
#include "telemetry/sensor_file.h"

namespace assay {
namespace {

namespace fs = std::filesystem;

constexpr size_t kMostUsers = 8;

/// Processors that the limit leaves; absent without one. `cpu.max` of version 2 holds `200000
/// 100000` or `max 100000`; version 1 has a file for each.
std::optional<double> processor_limit(const MachineRoots& roots) {
  std::optional<double> least;
  const auto limit = [&](const std::optional<double>& quota, const std::optional<double>& period) {
    if (!quota || !period || *quota <= 0 || *period <= 0) return;
    least = std::min(least.value_or(*quota / *period), *quota / *period);
  };
  for (const fs::path& group : cgroup_folders(roots, "self", "")) {
    const auto text = sensor_text(group / "cpu.max");
    if (!text) continue;
    const auto words = words_of(*text);
    if (words.size() == 2) limit(number_in(words[0]), number_in(words[1]));
  }
  for (const fs::path& group : cgroup_folders(roots, "self", "cpu")) {
    limit(sensor_number(group / "cpu.cfs_quota_us"), sensor_number(group / "cpu.cfs_period_us"));
  }
  return least;
}

/// Bytes; absent without a limit.
std::optional<double> memory_limit(const MachineRoots& roots) {
  std::optional<double> least;
  constexpr double kNoLimit = 1e18;  // Version 1 writes a number of about 9e18.
  const auto add = [&](const std::optional<double>& limit) {
    if (limit && *limit < kNoLimit) least = std::min(least.value_or(*limit), *limit);
  };
  for (const fs::path& group : cgroup_folders(roots, "self", "")) {
    add(sensor_number(group / "memory.max"));  // `max`: no number.
  }
  for (const fs::path& group : cgroup_folders(roots, "self", "memory")) {
    add(sensor_number(group / "memory.limit_in_bytes"));
  }
  return least;
}

bool is_cgroup_visible(const MachineRoots& roots) {
  std::error_code error;
  return fs::exists(roots.sys / "fs/cgroup", error);
}

/// Whether the process has a graphics card open, by what the kernel says of its files.
bool uses_card(const fs::path& process) {
  constexpr size_t kMostFiles = 512;
  std::error_code error;
  size_t seen = 0;
  for (fs::directory_iterator it(process / "fdinfo", error), end;
       !error && it != end && seen < kMostFiles; it.increment(error), ++seen) {
    const auto text = sensor_text(it->path());
    if (text && text->find("drm-client-id:") != std::string::npos) return true;
  }
  return false;
}

/// Names of programs with a card open.
std::set<std::string> card_users(const MachineRoots& roots) {
  std::set<std::string> users;
  constexpr size_t kMostProcesses = 8192;
  for (const fs::path& process : numbered(roots.proc, "", kMostProcesses)) {
    if (!uses_card(process)) continue;
    const auto name = sensor_text(process / "comm");
    users.insert(name ? printable(trim(*name), 40) : process.filename().string());
  }
  if (roots.nvidia_smi.empty()) return users;
  const auto told =
      run_command({roots.nvidia_smi, "--query-compute-apps=process_name", "--format=csv,noheader"},
                  "", std::chrono::seconds(5));
  if (!told || told->exit_code != 0) return users;
  for (const std::string& line : split(told->output, '\n')) {
    if (!line.empty()) users.insert(printable(fs::path(line).filename().string(), 40));
  }
  return users;
}

}  // namespace

DoctorCheck check_load(const Patient& patient) {
  DoctorCheck check{"load", Health::kUnknown, "the kernel does not tell", {}};
  const auto load = sensor_number(patient.roots.proc / "loadavg");
  if (!load) return check;
  const auto cores = static_cast<double>(std::max<int64_t>(1, patient.about.cores));
  constexpr double kBusyPerCore = 0.5;
  const double steal = patient.sample.steal_percent.value_or(0);
  constexpr double kMostSteal = 1;
  const bool busy = *load > kBusyPerCore * cores || steal > kMostSteal;
  check.found = fmt::format("load average {:.1f} on {:.0f} logical {}", *load, cores,
                            cores == 1 ? "processor" : "processors");
  if (steal > kMostSteal) check.found += fmt::format(", {:.0f} % taken by other guests", steal);
  check.health = busy ? Health::kWarn : Health::kOk;
  if (busy) check.advice = "something else runs here: end it, or wait until it is done";
  return check;
}

DoctorCheck check_swap(const Patient& patient) {
  DoctorCheck check{"swap", Health::kUnknown, "the kernel does not tell", {}};
  const auto text = sensor_text(patient.roots.proc / "meminfo");
  const auto total = text ? number_after(*text, "SwapTotal:") : std::nullopt;
  const auto free = text ? number_after(*text, "SwapFree:") : std::nullopt;
  if (!total || !free) return check;
  constexpr double kKib = 1024;
  constexpr double kLittle = 64 * 1024;  // KiB: what was never needed again.
  const double used = *total - *free;
  check.health = used > kLittle ? Health::kWarn : Health::kOk;
  check.found = *total == 0
                    ? "none"
                    : fmt::format("{} of {} in use", bytes_text(static_cast<int64_t>(used * kKib)),
                                  bytes_text(static_cast<int64_t>(*total * kKib)));
  if (check.health == Health::kWarn) {
    check.advice =
        "a model that is swapped out is read from the disk: end programs, take a smaller model, or "
        "sudo swapoff -a";
  }
  return check;
}

DoctorCheck check_gpu_users(const Patient& patient) {
  DoctorCheck check{"gpu_users", Health::kUnknown, "no graphics card was found", {}};
  if (patient.sample.gpus.empty()) {
    const auto why = patient.about.missing.find("gpu");
    if (why != patient.about.missing.end()) check.found = why->second;
    return check;
  }
  constexpr double kInUse = 5;
  std::vector<std::string> parts;
  check.health = Health::kOk;
  for (size_t i = 0; i < patient.sample.gpus.size(); ++i) {
    const auto& percent = patient.sample.gpus[i].percent;
    if (!percent) continue;
    parts.push_back(fmt::format("GPU {} at {:.0f} %", i, *percent));
    if (*percent >= kInUse) check.health = Health::kWarn;
  }
  const std::set<std::string> users = card_users(patient.roots);
  std::vector<std::string> names(users.begin(), users.end());
  if (names.size() > kMostUsers) {
    const size_t more = names.size() - kMostUsers;
    names.resize(kMostUsers);
    names.push_back(fmt::format("{} more", more));
  }
  parts.push_back(names.empty() ? "no program seen that has one open"
                                : "opened by " + join(names, ", "));
  check.found = join(parts, ", ");
  if (check.health == Health::kWarn) {
    check.advice = "figures would be of both: end what uses the card, or measure on another one";
  }
  return check;
}

DoctorCheck check_container(const Patient& patient) {
  DoctorCheck check{"container", Health::kUnknown, "no control group is visible", {}};
  if (!is_cgroup_visible(patient.roots)) return check;
  const auto cores = static_cast<double>(std::max<int64_t>(1, patient.about.cores));
  const auto processors = processor_limit(patient.roots);
  const auto memory = memory_limit(patient.roots);
  const bool held = processors && *processors < cores;
  std::vector<std::string> limits;
  if (held) limits.push_back(fmt::format("{:g} of {:.0f} processors", *processors, cores));
  if (memory) limits.push_back("memory " + bytes_text(static_cast<int64_t>(*memory)));
  check.found = limits.empty() ? "no limit" : "limited to " + join(limits, ", ");
  check.health = held ? Health::kWarn : Health::kOk;
  if (held) {
    check.advice = fmt::format(
        "more threads than that are held back by the scheduler: --threads {:.0f}, or raise the "
        "limit (docker run --cpus)",
        std::max(1.0, std::floor(*processors)));
  } else if (memory) {
    check.advice = "what does not fit is killed: keep the model below it";
  }
  return check;
}

DoctorCheck check_open_files(const Patient& patient) {
  DoctorCheck check{"open_files", Health::kUnknown, "the kernel does not tell", {}};
  const auto text = sensor_text(patient.roots.proc / "self/limits");
  if (!text) return check;
  for (const std::string& line : split(*text, '\n')) {
    constexpr std::string_view kKey = "Max open files";
    if (line.rfind(kKey, 0) != 0) continue;
    const auto words = words_of(std::string_view(line).substr(kKey.size()));
    if (words.empty()) break;
    const auto soft = number_in(words[0]);
    constexpr double kEnough = 1024;
    check.health = soft && *soft < kEnough ? Health::kWarn : Health::kOk;
    check.found = fmt::format("at most {}", printable(words[0], 20));
    if (check.health == Health::kWarn) {
      check.advice = "each call in flight takes one: ulimit -n 65536 before high --max-concurrency";
    }
  }
  return check;
}

}  // namespace assay
