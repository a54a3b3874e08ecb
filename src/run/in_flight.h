#pragma once

#include <cstdint>
#include <map>

#include "base/clock.h"
#include "net/call_watch.h"

namespace assay {

/// The calls that are in flight, and their seconds all together: an account of our own, to hold
/// against what the records say. Load thread only.
class InFlight {
 public:
  /// `watch` has to live until the call is removed.
  void add(int64_t index, CallWatch& watch) {
    count();
    watches_.emplace(index, &watch);
  }
  void remove(int64_t index) {
    count();
    watches_.erase(index);
  }
  void cancel_all() {
    for (const auto& [index, watch] : watches_) watch->cancel();
  }
  [[nodiscard]] double seconds() const { return static_cast<double>(total_ns_) / 1e9; }

 private:
  /// Adds the time since the last change.
  void count() {
    const MonoNs now = mono_now_ns();
    total_ns_ += static_cast<int64_t>(watches_.size()) * (now - since_);
    since_ = now;
  }

  std::map<int64_t, CallWatch*> watches_;
  int64_t total_ns_ = 0;
  MonoNs since_ = 0;
};

}  // namespace assay
