#include "run/host_sampler.h"

#include <chrono>
#include <condition_variable>
#include <filesystem>
#include <fstream>
#include <mutex>
#include <sstream>
#include <string>
#include <thread>

namespace assay {
namespace {

struct Counters {
  double busy = 0;
  double all = 0;
  double sectors = 0;
  bool cpu = false;
  bool disk = false;
};

Counters read_counters() {
  Counters now;
  std::ifstream stat("/proc/stat");
  std::string word;
  if (stat >> word && word == "cpu") {
    for (int column = 0; column < 8; ++column) {
      double jiffies = 0;
      if (!(stat >> jiffies)) break;
      now.all += jiffies;
      if (column != 3 && column != 4) now.busy += jiffies;  // Neither idle nor waiting for disks.
      now.cpu = true;
    }
  }
  std::ifstream disks("/proc/diskstats");
  std::string line;
  while (std::getline(disks, line)) {
    std::istringstream fields(line);
    std::string major, minor, name;
    double reads = 0, merged = 0, read_sectors = 0, ms = 0, writes = 0, written_sectors = 0;
    fields >> major >> minor >> name >> reads >> merged >> read_sectors >> ms >> writes >> merged >>
        written_sectors;
    // Whole devices only: partitions are counted in them.
    std::error_code error;
    if (!fields || !std::filesystem::exists("/sys/block/" + name, error)) continue;
    now.sectors += read_sectors + written_sectors;
    now.disk = true;
  }
  return now;
}

std::optional<int64_t> count_open_files() {
  std::error_code error;
  int64_t files = 0;
  for (std::filesystem::directory_iterator it("/proc/self/fd", error), end; !error && it != end;
       it.increment(error)) {
    ++files;
  }
  return error ? std::nullopt : std::optional<int64_t>(files);
}

}  // namespace

struct HostSampler::State {
  std::mutex mutex;  // Guards `stopping`.
  std::condition_variable wake;
  bool stopping = false;
  std::thread thread;
};

HostSampler::HostSampler(std::function<void(const HostSample&)> on_sample)
    : state_(std::make_unique<State>()) {
  state_->thread = std::thread([state = state_.get(), on_sample = std::move(on_sample)] {
    Counters before = read_counters();
    auto then = std::chrono::steady_clock::now();
    std::unique_lock lock(state->mutex);
    while (!state->wake.wait_for(lock, std::chrono::seconds(1), [&] { return state->stopping; })) {
      lock.unlock();
      const Counters now = read_counters();
      const auto at = std::chrono::steady_clock::now();
      const double seconds = std::chrono::duration<double>(at - then).count();
      HostSample sample;
      if (now.cpu && now.all > before.all) {
        sample.cpu_percent = 100 * (now.busy - before.busy) / (now.all - before.all);
      }
      constexpr double kSectorMb = 512e-6;
      if (now.disk && seconds > 0) {
        sample.disk_mb_per_s = (now.sectors - before.sectors) * kSectorMb / seconds;
      }
      sample.open_files = count_open_files();
      before = now;
      then = at;
      on_sample(sample);
      lock.lock();
    }
  });
}

HostSampler::~HostSampler() {
  {
    const std::lock_guard lock(state_->mutex);
    state_->stopping = true;
  }
  state_->wake.notify_all();
  state_->thread.join();
}

}  // namespace assay
