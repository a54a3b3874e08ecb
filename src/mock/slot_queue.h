#pragma once

#include <cstdint>
#include <deque>
#include <optional>

#include "base/clock.h"
#include "mock/stats.h"
#include "net/http_connection.h"
#include "net/task.h"

namespace assay {

/// So many answers at one time; the others wait in the order in which they came. Lives on the
/// server's thread.
class SlotQueue {
 public:
  /// 0 slots: no limit.
  SlotQueue(int64_t slots, MockStats& stats) : slots_(slots), stats_(stats) {}

  /// The instant at which the slot became this request's; nothing when the client left first.
  Task<std::optional<MonoNs>> acquire(HttpConnection& connection, MonoNs received);
  void release();

 private:
  struct Waiter {
    HttpConnection* connection = nullptr;
    std::optional<MonoNs> granted;
  };

  void take();

  const int64_t slots_;
  MockStats& stats_;
  int64_t busy_ = 0;
  std::deque<Waiter*> waiting_;  ///< Each lives in its acquire()'s frame.
};

}  // namespace assay
