#include <arpa/inet.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <sys/epoll.h>
#include <sys/socket.h>

#include <cstring>
#include <memory>
#include <string_view>

#include "bench_support.h"
#include "net/url.h"

// The least that any client must do to read and stamp N streams: epoll, recvmsg with the kernel's
// receive time, chunks, event boundaries. No JSON, no records, no limits, no errors worth the name.
// What the product's client costs is measured against this.

namespace {

using assay::MonoNs;
using assay::bench::LoadOptions;

struct Totals {
  int64_t events = 0;
  int64_t reads = 0;
  int64_t calls_done = 0;
  int64_t max_lag_ns = 0;
};

/// Counts the events of a text/event-stream body: blocks with a data line, ended by a blank line.
class EventCounter {
 public:
  void feed(std::string_view bytes, Totals& totals) {
    while (!bytes.empty()) {
      const size_t end = bytes.find('\n');
      if (end == std::string_view::npos) {
        carry_.append(bytes);
        return;
      }
      std::string_view line = bytes.substr(0, end);
      bytes.remove_prefix(end + 1);
      if (!carry_.empty()) {
        carry_.append(line);
        line = carry_;
      }
      if (!line.empty() && line.back() == '\r') line.remove_suffix(1);
      if (line.empty()) {
        totals.events += has_data_ ? 1 : 0;
        has_data_ = false;
      } else if (line.substr(0, 5) == "data:") {
        has_data_ = true;
      }
      carry_.clear();
    }
  }

 private:
  std::string carry_;
  bool has_data_ = false;
};

/// A response head, then a chunked body.
class ChunkReader {
 public:
  /// True when the response is complete.
  bool feed(std::string_view bytes, Totals& totals) {
    while (!bytes.empty()) {
      switch (state_) {
        case State::kHead: {
          head_.append(bytes);
          const size_t end = head_.find("\r\n\r\n");
          if (end == std::string::npos) return false;
          bytes.remove_prefix(bytes.size() - (head_.size() - end - 4));
          head_.clear();
          state_ = State::kSize;
          break;
        }
        case State::kSize: {
          const char c = bytes.front();
          bytes.remove_prefix(1);
          if (c >= '0' && c <= '9') left_ = left_ * 16 + static_cast<size_t>(c - '0');
          if (c >= 'a' && c <= 'f') left_ = left_ * 16 + static_cast<size_t>(c - 'a' + 10);
          if (c == '\n') {
            state_ = left_ > 0 ? State::kData : State::kLast;
            skip_ = 2;
          }
          break;
        }
        case State::kData: {
          const std::string_view piece = bytes.substr(0, left_);
          events_.feed(piece, totals);
          left_ -= piece.size();
          bytes.remove_prefix(piece.size());
          if (left_ == 0) state_ = State::kAfter;
          break;
        }
        case State::kAfter:
        case State::kLast:
          bytes.remove_prefix(1);
          if (--skip_ > 0) break;
          if (state_ == State::kLast) {
            state_ = State::kHead;
            return true;
          }
          state_ = State::kSize;
          break;
      }
    }
    return false;
  }

 private:
  enum class State : uint8_t { kHead, kSize, kData, kAfter, kLast };
  State state_ = State::kHead;
  size_t left_ = 0;
  int skip_ = 0;
  std::string head_;
  EventCounter events_;
};

struct Stream {
  int fd = -1;
  int64_t calls_left = 0;
  ChunkReader reader;
};

std::string request_text(const LoadOptions& options, const assay::Url& url) {
  const std::string body = fmt::format(
      R"({{"model":"mock","messages":[{{"role":"user","content":"Count."}}],"stream":true,)"
      R"("stream_options":{{"include_usage":true}},"max_tokens":{0},"ignore_eos":true,)"
      R"("min_tokens":{0}}})",
      options.tokens);
  return fmt::format(
      "POST /v1/chat/completions HTTP/1.1\r\nHost: {}\r\nAccept: text/event-stream\r\n"
      "Content-Type: application/json\r\nContent-Length: {}\r\n\r\n{}",
      url.authority(), body.size(), body);
}

int connect_to(const assay::Url& url) {
  sockaddr_in address{};
  address.sin_family = AF_INET;
  address.sin_port = htons(url.port);
  if (::inet_pton(AF_INET, url.host.c_str(), &address.sin_addr) != 1) return -1;
  const int fd = ::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
  const int on = 1;
  ::setsockopt(fd, SOL_SOCKET, SO_TIMESTAMPNS, &on, sizeof on);
  ::setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &on, sizeof on);
  if (::connect(fd, reinterpret_cast<const sockaddr*>(&address), sizeof address) != 0) return -1;
  return fd;
}

/// Receives once. The kernel's wall-clock time of the last segment is left in `wall_ns`.
ssize_t receive(int fd, std::vector<char>& buffer, int64_t& wall_ns) {
  alignas(cmsghdr) char control[CMSG_SPACE(sizeof(timespec))];
  iovec vector{buffer.data(), buffer.size()};
  msghdr message{};
  message.msg_iov = &vector;
  message.msg_iovlen = 1;
  message.msg_control = control;
  message.msg_controllen = sizeof control;
  const ssize_t got = ::recvmsg(fd, &message, MSG_DONTWAIT);
  const cmsghdr* head = got > 0 ? CMSG_FIRSTHDR(&message) : nullptr;
  if (head != nullptr && head->cmsg_type == SCM_TIMESTAMPNS) {
    timespec t{};
    std::memcpy(&t, CMSG_DATA(head), sizeof t);
    wall_ns = int64_t{t.tv_sec} * 1'000'000'000 + t.tv_nsec;
  }
  return got;
}

bool send_request(const Stream& stream, const std::string& request) {
  return ::send(stream.fd, request.data(), request.size(), MSG_NOSIGNAL) ==
         static_cast<ssize_t>(request.size());
}

bool open_streams(const LoadOptions& options, const assay::Url& url, const std::string& request,
                  int poll, std::vector<Stream>& streams) {
  for (Stream& stream : streams) {
    stream.fd = connect_to(url);
    stream.calls_left = options.calls - 1;
    epoll_event event{};
    event.events = EPOLLIN | EPOLLET;
    event.data.ptr = &stream;
    if (stream.fd < 0 || ::epoll_ctl(poll, EPOLL_CTL_ADD, stream.fd, &event) != 0 ||
        !send_request(stream, request)) {
      return false;
    }
  }
  return true;
}

/// Reads until every call is done. False when a connection broke.
bool read_all(const LoadOptions& options, const std::string& request, int poll, Totals& totals) {
  std::vector<char> buffer(64U << 10);
  const int64_t offset = assay::wall_now_ns() - assay::mono_now_ns();
  epoll_event ready[128];
  while (totals.calls_done < options.all_calls()) {
    const int count = ::epoll_wait(poll, ready, 128, -1);
    for (int i = 0; i < count; ++i) {
      Stream& stream = *static_cast<Stream*>(ready[i].data.ptr);
      int64_t wall_ns = 0;
      const ssize_t got = receive(stream.fd, buffer, wall_ns);
      if (got < 0 && errno == EAGAIN) continue;
      if (got <= 0) return false;
      const MonoNs now = assay::mono_now_ns();
      ++totals.reads;
      totals.max_lag_ns = std::max(totals.max_lag_ns, now - (wall_ns - offset));
      if (!stream.reader.feed({buffer.data(), static_cast<size_t>(got)}, totals)) continue;
      ++totals.calls_done;
      if (stream.calls_left-- > 0 && !send_request(stream, request)) return false;
    }
  }
  return true;
}

int run(const LoadOptions& options) {
  const auto url = assay::parse_url(options.url);
  if (!url) {
    fmt::print(stderr, "{}\n", url.error().message);
    return 2;
  }
  const std::string request = request_text(options, *url);
  std::vector<Stream> streams(static_cast<size_t>(options.streams));
  const int poll = ::epoll_create1(EPOLL_CLOEXEC);
  Totals totals;
  const auto before = assay::bench::CpuTimes::now();
  const MonoNs began = assay::mono_now_ns();
  const bool good = open_streams(options, *url, request, poll, streams) &&
                    read_all(options, request, poll, totals);
  const auto after = assay::bench::CpuTimes::now();
  const auto wall_ns = static_cast<double>(assay::mono_now_ns() - began);
  const auto events = static_cast<double>(std::max<int64_t>(totals.events, 1));
  assay::bench::Figures figures;
  figures.add("events", static_cast<double>(totals.events));
  figures.add("reads", static_cast<double>(totals.reads));
  figures.add("wall_s", wall_ns / 1e9);
  figures.add("cpu_ns_per_event", static_cast<double>(after.total_ns - before.total_ns) / events);
  figures.add("user_ns_per_event", static_cast<double>(after.user_ns - before.user_ns) / events);
  figures.add("read_lag_max_us", static_cast<double>(totals.max_lag_ns) / 1e3);
  figures.print(options.json);
  if (!good) fmt::print(stderr, "a connection broke after {} calls\n", totals.calls_done);
  return good ? 0 : 1;
}

}  // namespace

int main(int argc, char** argv) {
  CLI::App app("Reads N streams with the least possible code and prints what an event costs.");
  LoadOptions options;
  assay::bench::add_load_options(app, options);
  CLI11_PARSE(app, argc, argv);
  return run(options);
}
