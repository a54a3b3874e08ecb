#include "load/load.h"

#include <algorithm>
#include <array>
#include <bit>
#include <boost/asio/as_tuple.hpp>
#include <boost/asio/co_spawn.hpp>
#include <boost/asio/detached.hpp>
#include <boost/asio/steady_timer.hpp>
#include <boost/asio/use_awaitable.hpp>
#include <exception>

namespace assay {
namespace {

namespace asio = boost::asio;

/// What the workers of one closed loop share. The timer never fires: cancelling it is the signal
/// that the last worker is done.
struct Workers {
  explicit Workers(asio::io_context& io) : all_done(io) {
    all_done.expires_at(asio::steady_timer::time_point::max());
  }
  asio::steady_timer all_done;
  int64_t running = 0;
  std::exception_ptr failure;
};

Task<void> work(std::function<int64_t()>& next, std::function<Task<void>(int64_t)>& issue) {
  for (int64_t index = next(); index >= 0; index = next()) co_await issue(index);
}

}  // namespace

Task<void> run_closed(asio::io_context& io, int64_t concurrency, std::function<int64_t()> next,
                      std::function<Task<void>(int64_t)> issue) {
  Workers workers(io);
  workers.running = concurrency;
  for (int64_t i = 0; i < concurrency; ++i) {
    asio::co_spawn(io, work(next, issue), [&workers](std::exception_ptr failure) {
      if (failure && !workers.failure) workers.failure = failure;
      if (--workers.running == 0) workers.all_done.cancel();
    });
  }
  while (workers.running > 0) {
    co_await workers.all_done.async_wait(asio::as_tuple(asio::use_awaitable));
  }
  if (workers.failure) std::rethrow_exception(workers.failure);
}

Task<void> run_open(asio::io_context& io, std::vector<MonoNs> due, std::function<int64_t()> next,
                    std::function<Task<void>(int64_t)> issue) {
  Workers calls(io);
  asio::steady_timer timer(io);
  for (const MonoNs at : due) {
    // A stop is noticed within this time, whatever the rate.
    constexpr MonoNs kLook = 100'000'000;
    for (MonoNs left = at - mono_now_ns(); left > 0; left = at - mono_now_ns()) {
      timer.expires_after(Nanos(std::min(left, kLook)));
      co_await timer.async_wait(asio::as_tuple(asio::use_awaitable));
    }
    while (calls.running >= kMostInFlight) {
      co_await calls.all_done.async_wait(asio::as_tuple(asio::use_awaitable));
    }
    const int64_t index = next();
    if (index < 0) break;
    ++calls.running;
    asio::co_spawn(io, issue(index), [&calls](std::exception_ptr failure) {
      if (failure && !calls.failure) calls.failure = failure;
      --calls.running;
      calls.all_done.cancel();
    });
  }
  while (calls.running > 0) {
    co_await calls.all_done.async_wait(asio::as_tuple(asio::use_awaitable));
  }
  if (calls.failure) std::rethrow_exception(calls.failure);
}

struct LoopLag::State {
  explicit State(asio::io_context& io) : timer(io) {}
  asio::steady_timer timer;
  bool stopped = false;
  // 16 buckets an octave over microseconds: within 6 %.
  static constexpr size_t kBuckets = 64 * 16;
  std::array<uint32_t, kBuckets> buckets{};
  uint64_t count = 0;
  int64_t max_us = 0;

  static size_t bucket_of(uint64_t us) {
    if (us < 16) return us;
    const auto octave = static_cast<size_t>(std::bit_width(us)) - 5;
    return std::min(kBuckets - 1, (octave + 1) * 16 + ((us >> octave) & 15));
  }
  static double upper_us(size_t bucket) {
    if (bucket < 16) return static_cast<double>(bucket);
    const size_t octave = bucket / 16 - 1;
    return static_cast<double>((16 + bucket % 16 + 1) << octave);
  }
};

LoopLag::LoopLag(asio::io_context& io) : state_(std::make_shared<State>(io)) { arm(); }
LoopLag::~LoopLag() { stop(); }

void LoopLag::stop() {
  state_->stopped = true;
  state_->timer.cancel();
}

void LoopLag::arm() {
  state_->timer.expires_after(kEvery);
  const MonoNs due = mono_now_ns() + Nanos(kEvery).count();
  state_->timer.async_wait([this, state = state_, due](const boost::system::error_code& error) {
    if (error || state->stopped) return;
    const int64_t late_us = std::max<int64_t>(0, (mono_now_ns() - due) / 1000);
    ++state->buckets[State::bucket_of(static_cast<uint64_t>(late_us))];
    ++state->count;
    state->max_us = std::max(state->max_us, late_us);
    arm();
  });
}

std::optional<double> LoopLag::p99_ms() const {
  if (state_->count == 0) return std::nullopt;
  uint64_t seen = 0;
  for (size_t b = 0; b < State::kBuckets; ++b) {
    seen += state_->buckets[b];
    if (seen * 100 >= state_->count * 99) {
      return std::min(State::upper_us(b), static_cast<double>(state_->max_us)) / 1000;
    }
  }
  return max_ms();
}

std::optional<double> LoopLag::max_ms() const {
  if (state_->count == 0) return std::nullopt;
  return static_cast<double>(state_->max_us) / 1000;
}

}  // namespace assay
