#pragma once

#include <cstdint>
#include <functional>
#include <map>
#include <utility>

#include "base/clock.h"
#include "net/call_watch.h"

namespace assay {

/// The calls that are in flight, and their seconds all together: an account of our own, to hold
/// against what the records say. Load thread only.
class InFlight {
 public:
  /// `on_change` hears whether any call is in flight, whenever one was added or removed.
  explicit InFlight(std::function<void(bool any)> on_change) : on_change_(std::move(on_change)) {}

  /// By the call's place in the plan; of calls beside it each has a negative number of its own.
  /// `watch` has to live until the call is removed.
  void add(int64_t index, CallWatch& watch) {
    count();
    watches_.emplace(index, &watch);
    on_change_(true);
  }
  void remove(int64_t index) {
    count();
    watches_.erase(index);
    on_change_(!watches_.empty());
  }
  void cancel_all() {
    for (const auto& [index, watch] : watches_) watch->cancel();
  }
  /// By the calls' places in the plan; negative: beside it.
  [[nodiscard]] const std::map<int64_t, CallWatch*>& watches() const { return watches_; }
  [[nodiscard]] double seconds() const { return static_cast<double>(total_ns_) / 1e9; }

 private:
  /// Adds the time since the last change.
  void count() {
    const MonoNs now = mono_now_ns();
    total_ns_ += static_cast<int64_t>(watches_.size()) * (now - since_);
    since_ = now;
  }

  std::function<void(bool)> on_change_;
  std::map<int64_t, CallWatch*> watches_;
  int64_t total_ns_ = 0;
  MonoNs since_ = 0;
};

}  // namespace assay
