#include "run/machine_probe.h"

#include <fmt/format.h>

#include <algorithm>
#include <atomic>
#include <bit>
#include <functional>
#include <thread>
#include <vector>

#include "run/compute_kernels.h"
#include "run/instrument_cache.h"

namespace assay {
namespace {

constexpr int kWindows = 4;
constexpr int64_t kWindowNs = 150'000'000;

/// The most of `work` that all threads together did in a second: the best window. `work` is called
/// with the thread's number, again and again, and says how much it did.
double best_rate(int64_t threads, const std::function<double(size_t)>& work) {
  double best = 0;
  for (int window = 0; window < kWindows; ++window) {
    std::vector<double> done(static_cast<size_t>(threads), 0);
    const MonoNs began = mono_now_ns();
    {
      std::vector<std::jthread> workers;
      for (size_t i = 0; i < done.size(); ++i) {
        workers.emplace_back([&done, &work, i, began] {
          while (mono_now_ns() - began < kWindowNs) done[i] += work(i);
        });
      }
    }
    const auto seconds = static_cast<double>(mono_now_ns() - began) / 1e9;
    double sum = 0;
    for (const double part : done) sum += part;
    best = std::max(best, sum / seconds);
  }
  return best;
}

double read_rate(int64_t threads, int64_t bytes) {
  constexpr size_t kStep = 64;  // Words that read_once() takes at a time, at most.
  const auto words =
      static_cast<size_t>(bytes) / sizeof(uint64_t) / static_cast<size_t>(threads) / kStep * kStep;
  std::vector<std::vector<uint64_t>> parts(static_cast<size_t>(threads));
  for (auto& part : parts) part.assign(words, 1);
  std::atomic<uint64_t> sink = 0;
  return best_rate(threads, [&](size_t thread) {
    sink += read_once(parts[thread]);
    return static_cast<double>(words * sizeof(uint64_t));
  });
}

double compute_rate(int64_t threads, Work (*compute)(int64_t)) {
  constexpr int64_t kRounds = 20'000;
  std::atomic<double> sink = 0;
  return best_rate(threads, [&](size_t) {
    const Work work = compute(kRounds);
    sink = work.result;
    return work.operations;
  });
}

}  // namespace

MachineCeiling probe_machine(int64_t threads, int64_t bytes) {
  MachineCeiling found;
  found.threads = std::max<int64_t>(threads, 1);
  found.bytes = std::clamp(bytes, kLeastProbeBytes, kMostProbeBytes);
  found.bytes_per_sec = read_rate(found.threads, found.bytes);
  found.operations_per_sec = std::max(compute_rate(found.threads, multiply_floats),
                                      compute_rate(found.threads, multiply_bytes));
  found.measured_at_utc = utc_text(wall_now_ns());
  return found;
}

MachineCeiling cached_machine(int64_t threads, int64_t bytes, const OnNote& note) {
  constexpr auto kAge = std::chrono::hours(24 * 30);
  const auto size = std::bit_floor(static_cast<uint64_t>(std::max<int64_t>(bytes, 1)));
  const std::string key =
      instrument_key({"machine", std::to_string(threads), std::to_string(size)});
  if (const auto known = load_instrument(key, kAge); known && known->machine) {
    return *known->machine;
  }
  note("measuring what this machine's memory and cores can do");
  Instrument instrument;
  instrument.machine = probe_machine(threads, bytes);
  keep_instrument(key, instrument);
  return *instrument.machine;
}

}  // namespace assay
