#include "mock/stream_sender.h"

#include <fmt/format.h>

#include <algorithm>
#include <cstring>

#include "mock/pacer.h"
#include "mock/wall_time.h"

namespace assay {

namespace {

/// Single bytes sent in one turn, where each is its own write.
constexpr int kUnitsPerTurn = 256;

/// Decimal, right-aligned over the blanks that are there.
void put_stamp(char* out, MonoNs value) {
  for (size_t i = EventShape::kStampWidth; i-- > 0 && value > 0; value /= 10) {
    out[i] = static_cast<char>('0' + value % 10);
  }
}

}  // namespace

StreamSender::StreamSender(HttpConnection& connection, Pacer& pacer, MockStats& stats,
                           StreamPlan plan)
    : connection_(connection), pacer_(pacer), stats_(stats), plan_(std::move(plan)) {
  if (!plan_.events.empty()) repeat_due_ = plan_.events.back().due;
}

Task<bool> StreamSender::run() {
  const bool in_time = co_await connection_.sleep_until(plan_.head_due);
  if (!in_time) co_return false;
  const bool head_sent = co_await connection_.send(plan_.head);
  if (!head_sent) co_return false;
  if (plan_.events.empty()) {
    finished_ = true;
    if (plan_.ending == Ending::kComplete && plan_.framing == BodyFraming::kChunked) {
      co_await connection_.send("0\r\n\r\n");
    }
  } else {
    enter_pacer(next_due());
  }
  while (!finished_ && connection_.open()) {
    const bool woken = co_await connection_.wait();
    if (!woken || finished_) break;
    // Woken, and not finished: the peer is slow.
    const bool writable = co_await connection_.wait_writable();
    if (writable) enter_pacer(due_);
  }
  if (paced_) pacer_.remove(*this);
  if (!finished_) co_return false;
  switch (plan_.ending) {
    case Ending::kComplete:
      if (plan_.framing == BodyFraming::kUntilClose) connection_.close_after_response();
      break;
    case Ending::kClose:
      connection_.close();
      break;
    case Ending::kReset:
      connection_.reset();
      break;
    case Ending::kHang:
      co_await connection_.wait();
      break;
  }
  co_return true;
}

void StreamSender::enter_pacer(MonoNs due) {
  paced_ = true;
  pacer_.add(due, *this);
}

std::optional<MonoNs> StreamSender::fire() {
  for (int i = 0; i < kUnitsPerTurn; ++i) {
    const Progress progress = step();
    if (progress != Progress::kMore) {
      finished_ = progress == Progress::kFinished;
      paced_ = false;
      connection_.wake();
      return std::nullopt;
    }
    const MonoNs due = payload_.empty() ? next_due() : due_;
    // Whole writes go back to the pacer one by one, so that other streams get their turn.
    if (payload_.empty() || due > mono_now_ns()) return due;
  }
  return due_;
}

/// Sends one unit: a whole write, or one byte of it.
StreamSender::Progress StreamSender::step() {
  if (unsent_.empty()) {
    if (payload_.empty()) render_next();
    frame_unit();
  }
  const MonoNs now = write_begun_ ? 0 : mono_now_ns();
  if (!write_begun_) stamp(now);
  const size_t before = unsent_.size();
  const auto state = connection_.try_send(unsent_);
  if (unsent_.size() != before && !write_begun_) {
    write_begun_ = true;
    stats_.events_sent += events_;
    stats_.lateness.add(Nanos(now - due_));
  }
  if (state != HttpConnection::SendState::kDone) return Progress::kStuck;
  ++stats_.writes;
  if (payload_taken_ < payload_.size()) {
    due_ += plan_.byte_gap.count();
    return Progress::kMore;
  }
  payload_.clear();
  const bool all = next_ == plan_.events.size() && !plan_.repeat_gap;
  return all ? Progress::kFinished : Progress::kMore;
}

size_t StreamSender::group_end() const {
  size_t end = next_;
  while (end + 1 < plan_.events.size() && plan_.events[end].with_next) ++end;
  return end + 1;
}

MonoNs StreamSender::next_due() const {
  const MonoNs planned =
      next_ == plan_.events.size() ? repeat_due_ : plan_.events[group_end() - 1].due;
  return std::max(planned, plan_.head_due);
}

void StreamSender::render_next() {
  payload_.clear();
  payload_taken_ = 0;
  stamps_.clear();
  events_ = 0;
  write_begun_ = false;
  due_ = next_due();
  if (next_ == plan_.events.size()) {
    render_event(plan_.events.back(), due_);
  } else {
    for (const size_t end = group_end(); next_ < end; ++next_) {
      render_event(plan_.events[next_], due_);
    }
  }
  if (plan_.repeat_gap && next_ == plan_.events.size()) {
    // Never into the past: a flood must not starve the other streams.
    repeat_due_ = std::max(due_ + plan_.repeat_gap->count(), mono_now_ns());
  }
}

void StreamSender::render_event(const PlannedEvent& event, MonoNs due) {
  const EventShape& shape = plan_.shapes[event.shape];
  const size_t base = payload_.size();
  payload_ += shape.before;
  if (shape.due_at) put_stamp(payload_.data() + base + *shape.due_at, due);
  if (shape.sent_at) stamps_.push_back({base + *shape.sent_at, Stamp::Kind::kSent});
  if (shape.wall_at) stamps_.push_back({base + *shape.wall_at, Stamp::Kind::kWall});
  payload_.append(plan_.text, event.text_begin, event.text_size);
  payload_ += shape.after;
  ++events_;
}

/// Puts the next unit of the payload into `framed_`, as a chunk where the framing is chunked.
void StreamSender::frame_unit() {
  const bool last_write = next_ == plan_.events.size() && !plan_.repeat_gap;
  const bool chunked = plan_.framing == BodyFraming::kChunked;
  const size_t size = plan_.byte_by_byte ? 1 : payload_.size() - payload_taken_;
  framed_.clear();
  if (chunked) fmt::format_to(std::back_inserter(framed_), "{:x}\r\n", size);
  const size_t body_at = framed_.size();
  framed_.append(payload_, payload_taken_, size);
  if (!plan_.byte_by_byte) {
    for (Stamp& place : stamps_) place.at += body_at;
  }
  payload_taken_ += size;
  const bool last_unit = last_write && payload_taken_ == payload_.size();
  if (last_unit && plan_.cut_last) {
    framed_.resize(body_at + std::max<size_t>(size / 2, 1));
  } else if (chunked) {
    framed_ += "\r\n";
    if (last_unit && plan_.ending == Ending::kComplete) framed_ += "0\r\n\r\n";
  }
  unsent_ = framed_;
}

void StreamSender::stamp(MonoNs now) {
  // Single bytes are stamped in the payload, of which they are framed one by one.
  std::string& bytes = plan_.byte_by_byte ? payload_ : framed_;
  for (const Stamp& place : stamps_) {
    if (place.kind == Stamp::Kind::kSent) {
      put_stamp(bytes.data() + place.at, now);
    } else {
      put_wall_time(bytes.data() + place.at, wall_now_ns());
    }
  }
}

}  // namespace assay
