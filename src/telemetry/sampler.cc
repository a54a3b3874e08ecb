#include "telemetry/sampler.h"

#include <pthread.h>

#include <algorithm>
#include <chrono>
#include <condition_variable>
#include <mutex>
#include <thread>

namespace assay {

struct Sampler::State {
  State(SamplerOptions chosen, OnSample callback)
      : options(std::move(chosen)), on_sample(std::move(callback)), engines(options.engines) {}

  const SamplerOptions options;
  const OnSample on_sample;
  std::mutex mutex;  ///< Guards the members below, but the thread.
  std::condition_variable wake;
  bool stopping = false;
  WatchedEngines engines;
  std::thread thread;

  void run();
};

void Sampler::State::run() {
  ::pthread_setname_np(::pthread_self(), "sampler");
  using Clock = std::chrono::steady_clock;
  Machine machine(options.roots, mono_now_ns());
  const auto period = std::chrono::duration_cast<Clock::duration>(
      std::chrono::duration<double>(1 / options.rate_hz));
  auto due = Clock::now() + period;
  std::unique_lock lock(mutex);
  for (bool last = false; !last;) {
    // What is measured to its end has a sample after it: the last comes before its time.
    last = wake.wait_until(lock, due, [&] { return stopping; });
    if (last && due - Clock::now() > period * 3 / 4) return;
    const WatchedEngines watched = engines;
    lock.unlock();
    const MonoNs now = mono_now_ns();
    TelemetrySample sample = machine.sample(now, watched);
    sample.at_ns = now - options.epoch;
    on_sample(machine.about(), sample);
    // Samples that were missed, such as in a suspended machine, are not made up for.
    due = std::max(due + period, Clock::now());
    lock.lock();
  }
}

Sampler::Sampler(SamplerOptions options, OnSample on_sample)
    : state_(std::make_unique<State>(std::move(options), std::move(on_sample))) {
  state_->thread = std::thread([state = state_.get()] { state->run(); });
}

Sampler::~Sampler() {
  {
    const std::lock_guard lock(state_->mutex);
    state_->stopping = true;
  }
  state_->wake.notify_all();
  state_->thread.join();
}

void Sampler::watch(WatchedEngines engines) {
  const std::lock_guard lock(state_->mutex);
  state_->engines = std::move(engines);
}

}  // namespace assay
