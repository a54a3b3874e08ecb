#include "net/call_watch.h"

#include <limits>

namespace assay {

CallWatch::CallWatch(boost::asio::io_context& io, const Limits& limits)
    : limits_(limits),
      started_(mono_now_ns()),
      since_(started_),
      timer_(io),
      self_(std::make_shared<CallWatch*>(this)) {
  arm();
}

CallWatch::~CallWatch() { *self_ = nullptr; }

void CallWatch::watch(boost::asio::ip::tcp::socket* socket) {
  socket_ = socket;
  if (expired_ != Expired::kNo) expire(expired_);
}

void CallWatch::sent(MonoNs at) {
  stage_ = Stage::kFirstByte;
  since_ = sent_at_ = at;
  arm();  // The first deadline may lie before the one that connecting had.
}

void CallWatch::expire(Expired why) {
  if (expired_ == Expired::kNo) expired_ = why;
  if (socket_ == nullptr) return;
  boost::system::error_code ignored;
  socket_->close(ignored);
}

CallWatch::Due CallWatch::next_due() const {
  constexpr MonoNs kNever = std::numeric_limits<MonoNs>::max();
  Due due{kNever, Expired::kNo};
  const auto consider = [&](MonoNs from, Nanos limit, Expired which) {
    if (limit.count() > 0 && from + limit.count() < due.at) due = Due{from + limit.count(), which};
  };
  consider(started_, limits_.total, Expired::kTotal);
  switch (stage_) {
    case Stage::kConnect:
      consider(since_, limits_.connect, Expired::kConnect);
      break;
    case Stage::kFirstByte:
      consider(since_, limits_.first_byte, Expired::kFirstByte);
      consider(since_, limits_.first_token, Expired::kFirstToken);
      break;
    case Stage::kFirstToken:
      consider(since_, limits_.first_token, Expired::kFirstToken);
      break;
    case Stage::kIdle:
      consider(since_, limits_.idle, Expired::kIdle);
      // A stage can become shorter than what the timer was set to: look again soon enough.
      break;
  }
  return due;
}

void CallWatch::arm() {
  const Due due = next_due();
  if (due.which == Expired::kNo || expired_ != Expired::kNo) return;
  MonoNs wake = due.at;
  // While the prompt is processed the timer stands at first_token; the idle limit that follows may
  // be shorter, so the timer never sleeps longer than that.
  if (limits_.idle.count() > 0) wake = std::min(wake, mono_now_ns() + limits_.idle.count());
  timer_.expires_at(std::chrono::steady_clock::time_point(Nanos(wake)));
  timer_.async_wait([self = self_](const boost::system::error_code& error) {
    if (!error && *self != nullptr) (*self)->on_timer();
  });
}

void CallWatch::on_timer() {
  if (expired_ != Expired::kNo) return;
  const Due due = next_due();
  if (due.which != Expired::kNo && mono_now_ns() >= due.at) {
    expire(due.which);
  } else {
    arm();
  }
}

}  // namespace assay
