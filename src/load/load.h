#pragma once

#include <cstdint>
#include <functional>
#include <memory>
#include <optional>
#include <vector>

#include "base/clock.h"
#include "net/task.h"

namespace assay {

/// Closed-loop load: at most `concurrency` calls at a time, each worker taking up the next when its
/// last one is done. `next` gives the index of a call to issue, or a negative number when there is
/// no more; `issue` runs it and always completes. Returns when all workers are done. Load thread.
Task<void> run_closed(boost::asio::io_context& io, int64_t concurrency,
                      std::function<int64_t()> next, std::function<Task<void>(int64_t)> issue);

/// Open-loop load: the i-th call is begun at `due[i]`, however many are in flight, up to
/// kMostInFlight; beyond that it waits for one to end, which its record shows as lateness. `next`
/// gives the call's index; a negative one ends the load early. Returns when all calls are done.
Task<void> run_open(boost::asio::io_context& io, std::vector<MonoNs> due,
                    std::function<int64_t()> next, std::function<Task<void>(int64_t)> issue);
inline constexpr int64_t kMostInFlight = 10'000;

/// How late the load thread's timers fire: what it would add to the sends of an open loop.
class LoopLag {
 public:
  /// Seldom enough that its wake-ups stay a small part of what a slow engine's tokens cost.
  static constexpr std::chrono::milliseconds kEvery{100};

  /// Samples until stop(). Holds a reference to itself in no timer: it must outlive the
  /// io_context's run, or be stopped before.
  explicit LoopLag(boost::asio::io_context& io);
  ~LoopLag();
  LoopLag(const LoopLag&) = delete;
  LoopLag& operator=(const LoopLag&) = delete;

  void stop();
  /// Milliseconds over all samples; absent without any.
  [[nodiscard]] std::optional<double> p99_ms() const;
  [[nodiscard]] std::optional<double> max_ms() const;

 private:
  void arm();
  struct State;
  std::shared_ptr<State> state_;
};

}  // namespace assay
