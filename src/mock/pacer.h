#pragma once

#include <boost/asio/io_context.hpp>
#include <boost/asio/steady_timer.hpp>
#include <cstdint>
#include <vector>

#include "base/clock.h"

namespace assay {

class StreamSender;

/// Calls stream senders when their next write is due: one heap and one timer for all of them, so
/// that an event costs no timer system call. Never calls early. Runs on the io_context's thread.
class Pacer {
 public:
  explicit Pacer(boost::asio::io_context& io) : timer_(io) {}

  /// A sender is in at most once. It leaves by its own fire(), or by remove().
  void add(MonoNs due, StreamSender& sender);
  void remove(const StreamSender& sender);

 private:
  struct Entry {
    MonoNs due;
    uint64_t order;  ///< Same instant: first come, first served.
    StreamSender* sender;
  };
  static bool later(const Entry& a, const Entry& b) {
    return a.due != b.due ? a.due > b.due : a.order > b.order;
  }

  void arm();
  void fire_due();

  boost::asio::steady_timer timer_;
  std::vector<Entry> heap_;
  uint64_t order_ = 0;
  bool armed_ = false;
  MonoNs armed_for_ = 0;
  bool firing_ = false;
};

}  // namespace assay
