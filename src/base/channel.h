#pragma once

#include <chrono>
#include <condition_variable>
#include <cstddef>
#include <deque>
#include <iterator>
#include <mutex>
#include <vector>

namespace assay {

/// A bounded queue from any number of producing threads to one consuming thread. Thread-safe; the
/// mutex guards everything below it.
template <class T>
class Channel {
 public:
  explicit Channel(size_t capacity) : capacity_(capacity) {}

  /// False when the queue is full or closed: the caller decides what that means. Never blocks.
  [[nodiscard]] bool try_push(T item) {
    {
      const std::lock_guard lock(mutex_);
      if (closed_ || items_.size() >= capacity_) return false;
      items_.push_back(std::move(item));
    }
    ready_.notify_one();
    return true;
  }

  /// Waits for at least one item, at most `max_wait`, then takes everything that is queued.
  /// Empty when the wait ran out, or when the channel is closed and drained.
  std::vector<T> pop_all(std::chrono::milliseconds max_wait) {
    std::unique_lock lock(mutex_);
    ready_.wait_for(lock, max_wait, [this] { return closed_ || !items_.empty(); });
    std::vector<T> taken(std::make_move_iterator(items_.begin()),
                         std::make_move_iterator(items_.end()));
    items_.clear();
    return taken;
  }

  /// No more pushes. What is queued can still be popped.
  void close() {
    {
      const std::lock_guard lock(mutex_);
      closed_ = true;
    }
    ready_.notify_all();
  }

  /// Closed, and nothing is left to pop.
  [[nodiscard]] bool finished() const {
    const std::lock_guard lock(mutex_);
    return closed_ && items_.empty();
  }

 private:
  const size_t capacity_;
  mutable std::mutex mutex_;
  std::condition_variable ready_;
  std::deque<T> items_;
  bool closed_ = false;
};

}  // namespace assay
