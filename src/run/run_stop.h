#pragma once

#include <boost/asio/io_context.hpp>
#include <boost/asio/signal_set.hpp>
#include <boost/asio/steady_timer.hpp>
#include <csignal>
#include <functional>
#include <utility>

#include "base/clock.h"
#include "net/task.h"

namespace assay {

/// The end of a run before its plan is through. At the first SIGINT or SIGTERM no more calls are
/// issued, and those in flight may finish within the grace; a second signal, the end of the grace
/// or now() drops them. Load thread only.
class RunStop {
 public:
  struct Hooks {
    std::function<void(int signal)> asked;  ///< At the first signal.
    std::function<void()> drop;             ///< Cancels the calls in flight.
  };
  RunStop(boost::asio::io_context& io, Nanos grace, Hooks hooks)
      : io_(io),
        signals_(io, SIGINT, SIGTERM),
        grace_timer_(io),
        grace_(grace),
        hooks_(std::move(hooks)) {}

  /// Begins to hear signals. To be called once.
  void listen();
  /// Hears none any more, so that the loop can end.
  void close();
  void now();

  /// Whether the run is to end.
  [[nodiscard]] bool asked() const { return asked_; }
  /// The signal that said so last, or 0.
  [[nodiscard]] int signal() const { return signal_; }
  /// Comes back at that instant, or soon after the run is to end.
  Task<void> wait_until(MonoNs at) const;

 private:
  boost::asio::io_context& io_;
  boost::asio::signal_set signals_;
  boost::asio::steady_timer grace_timer_;
  Nanos grace_;
  Hooks hooks_;
  bool asked_ = false;
  int signal_ = 0;
};

}  // namespace assay
