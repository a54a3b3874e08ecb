#include "mock/pacer.h"

#include <algorithm>
#include <chrono>
#include <optional>

#include "mock/stream_sender.h"

namespace assay {

namespace {

/// Writes between two looks at the sockets, so that requests are read in time under full load.
constexpr int kWritesPerTurn = 128;

}  // namespace

void Pacer::add(MonoNs due, StreamSender& sender) {
  heap_.push_back({due, order_++, &sender});
  std::push_heap(heap_.begin(), heap_.end(), later);
  if (!firing_) arm();
}

void Pacer::remove(const StreamSender& sender) {
  const auto found = std::find_if(heap_.begin(), heap_.end(),
                                  [&](const Entry& entry) { return entry.sender == &sender; });
  if (found == heap_.end()) return;
  heap_.erase(found);
  std::make_heap(heap_.begin(), heap_.end(), later);
  if (!firing_) arm();
}

void Pacer::arm() {
  if (heap_.empty()) {
    if (armed_) timer_.cancel();
    armed_ = false;
    return;
  }
  const MonoNs due = heap_.front().due;
  if (armed_ && armed_for_ <= due) return;
  armed_ = true;
  armed_for_ = due;
  timer_.expires_at(std::chrono::steady_clock::time_point(Nanos(due)));
  timer_.async_wait([this](const boost::system::error_code& error) {
    if (!error) fire_due();
  });
}

void Pacer::fire_due() {
  armed_ = false;
  firing_ = true;
  MonoNs now = mono_now_ns();
  for (int i = 0; i < kWritesPerTurn && !heap_.empty(); ++i) {
    if (heap_.front().due > now) {
      now = mono_now_ns();
      if (heap_.front().due > now) break;
    }
    std::pop_heap(heap_.begin(), heap_.end(), later);
    Entry entry = heap_.back();
    heap_.pop_back();
    const std::optional<MonoNs> next = entry.sender->fire();
    if (!next) continue;
    heap_.push_back({*next, order_++, entry.sender});
    std::push_heap(heap_.begin(), heap_.end(), later);
  }
  firing_ = false;
  arm();
}

}  // namespace assay
