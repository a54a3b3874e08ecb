#include "mock/slot_queue.h"

#include <algorithm>

namespace assay {

void SlotQueue::take() {
  ++busy_;
  stats_.active = busy_;
  stats_.active_max = std::max(stats_.active_max, busy_);
}

Task<std::optional<MonoNs>> SlotQueue::acquire(HttpConnection& connection, MonoNs received) {
  if (slots_ == 0 || busy_ < slots_) {
    take();
    co_return received;
  }
  Waiter waiter;
  waiter.connection = &connection;
  waiting_.push_back(&waiter);
  ++stats_.queued;
  bool here = true;
  while (here && !waiter.granted) here = co_await connection.wait();
  --stats_.queued;
  if (waiter.granted) {
    if (here) co_return waiter.granted;
    release();
  } else {
    waiting_.erase(std::find(waiting_.begin(), waiting_.end(), &waiter));
  }
  co_return std::nullopt;
}

void SlotQueue::release() {
  --busy_;
  stats_.active = busy_;
  if (waiting_.empty()) return;
  // The next one takes the slot at once, so that nobody who comes later can slip in before it.
  Waiter* next = waiting_.front();
  waiting_.pop_front();
  take();
  next->granted = mono_now_ns();
  next->connection->wake();
}

}  // namespace assay
