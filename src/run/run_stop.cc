#include "run/run_stop.h"

#include <algorithm>

#include "net/sleep.h"

namespace assay {

void RunStop::listen() {
  signals_.async_wait([this](const boost::system::error_code& error, int signal) {
    if (error) return;
    signal_ = signal;
    if (asked_) {
      now();
    } else {
      asked_ = true;
      hooks_.asked(signal);
      grace_timer_.expires_after(grace_);
      grace_timer_.async_wait([this](const boost::system::error_code& cancelled) {
        if (!cancelled) now();
      });
    }
    listen();
  });
}

void RunStop::close() {
  grace_timer_.cancel();
  signals_.cancel();
}

void RunStop::now() {
  asked_ = true;
  hooks_.drop();
}

Task<void> RunStop::wait_until(MonoNs at) const {
  constexpr Nanos kBetweenLooks = std::chrono::milliseconds(200);
  while (!asked_ && mono_now_ns() < at) {
    const Nanos left(at - mono_now_ns());
    co_await sleep_for(io_, std::min(left, kBetweenLooks));
  }
}

}  // namespace assay
