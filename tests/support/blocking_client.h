#pragma once

#include <arpa/inet.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <strings.h>
#include <sys/socket.h>
#include <unistd.h>

#include <cerrno>
#include <charconv>
#include <cstdint>
#include <cstring>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "base/clock.h"

namespace assay::test {

/// What a server sent, taken apart without any of the product's own code.
struct Reply {
  enum class End { kComplete, kCut, kReset, kTimeout };
  int status = 0;  ///< 0: no response came.
  std::vector<std::pair<std::string, std::string>> headers;
  std::string body;                 ///< Without chunk framing; what came of it, when cut.
  std::vector<std::string> chunks;  ///< One per chunk, as framed.
  End end = End::kCut;

  [[nodiscard]] std::string header(std::string_view name) const {
    for (const auto& [key, value] : headers) {
      if (key.size() == name.size() && ::strncasecmp(key.data(), name.data(), name.size()) == 0) {
        return value;
      }
    }
    return {};
  }
};

/// One connection to 127.0.0.1 with blocking reads that end at a limit for all of them together.
class BlockingClient {
 public:
  static constexpr int kLimit_ms = 5000;

  explicit BlockingClient(uint16_t port, int limit_ms = kLimit_ms)
      : deadline_ns_(mono_now_ns() + int64_t{limit_ms} * 1'000'000) {
    fd_ = ::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
    sockaddr_in address{};
    address.sin_family = AF_INET;
    address.sin_port = htons(port);
    address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    connected_ = ::connect(fd_, reinterpret_cast<const sockaddr*>(&address), sizeof address) == 0;
    const int one = 1;
    ::setsockopt(fd_, IPPROTO_TCP, TCP_NODELAY, &one, sizeof one);
  }
  BlockingClient(const BlockingClient&) = delete;
  BlockingClient& operator=(const BlockingClient&) = delete;
  ~BlockingClient() { close(); }

  [[nodiscard]] bool connected() const { return connected_; }

  void close() {
    if (fd_ >= 0) ::close(fd_);
    fd_ = -1;
  }

  void send(std::string_view bytes) {
    while (!bytes.empty()) {
      const ssize_t n = ::send(fd_, bytes.data(), bytes.size(), MSG_NOSIGNAL);
      if (n <= 0) return;
      bytes.remove_prefix(static_cast<size_t>(n));
    }
  }

  void request(std::string_view method, std::string_view path, std::string_view body = {},
               std::string_view extra_headers = {}) {
    std::string text(method);
    text += " " + std::string(path) + " HTTP/1.1\r\nHost: 127.0.0.1\r\n";
    if (!body.empty()) {
      text += "Content-Type: application/json\r\nContent-Length: " + std::to_string(body.size());
      text += "\r\n";
    }
    text += std::string(extra_headers) + "\r\n" + std::string(body);
    send(text);
  }

  /// Waits for more bytes and keeps them. False at the end, a reset or the time limit.
  bool receive() {
    char bytes[65536];
    const int64_t left_us = (deadline_ns_ - mono_now_ns()) / 1000;
    if (left_us <= 0) {
      end_ = Reply::End::kTimeout;
      return false;
    }
    const timeval limit{left_us / 1'000'000, left_us % 1'000'000};
    ::setsockopt(fd_, SOL_SOCKET, SO_RCVTIMEO, &limit, sizeof limit);
    ssize_t n = 0;
    do {
      n = ::recv(fd_, bytes, sizeof bytes, 0);
    } while (n < 0 && errno == EINTR);
    if (n > 0) {
      received_.append(bytes, static_cast<size_t>(n));
      return true;
    }
    end_ = n == 0 ? Reply::End::kCut : errno == EAGAIN ? Reply::End::kTimeout : Reply::End::kReset;
    return false;
  }

  [[nodiscard]] const std::string& received() const { return received_; }
  [[nodiscard]] Reply::End end() const { return end_; }

  /// The next response, as far as it came.
  Reply read_reply() {
    Reply reply;
    size_t head_end = received_.find("\r\n\r\n");
    while (head_end == std::string::npos) {
      if (!receive()) {
        reply.end = end_;
        return reply;
      }
      head_end = received_.find("\r\n\r\n");
    }
    parse_head(received_.substr(0, head_end + 2), reply);
    received_.erase(0, head_end + 4);
    if (reply.header("Transfer-Encoding") == "chunked") {
      read_chunks(reply);
    } else {
      read_plain(reply);
    }
    return reply;
  }

  Reply exchange(std::string_view method, std::string_view path, std::string_view body = {},
                 std::string_view extra_headers = {}) {
    request(method, path, body, extra_headers);
    return read_reply();
  }

 private:
  static void parse_head(std::string_view head, Reply& reply) {
    std::from_chars(head.data() + 9, head.data() + head.size(), reply.status);
    for (size_t at = head.find("\r\n") + 2; at < head.size();) {
      const size_t end = head.find("\r\n", at);
      const std::string_view line = head.substr(at, end - at);
      const size_t colon = line.find(": ");
      reply.headers.emplace_back(std::string(line.substr(0, colon)),
                                 std::string(line.substr(colon + 2)));
      at = end + 2;
    }
  }

  void read_plain(Reply& reply) {
    const std::string length = reply.header("Content-Length");
    const size_t wanted = length.empty() ? std::string::npos : std::stoul(length);
    while (received_.size() < wanted && receive()) {
    }
    const bool whole = received_.size() >= wanted;
    reply.end =
        whole || (length.empty() && end_ == Reply::End::kCut) ? Reply::End::kComplete : end_;
    reply.body = received_.substr(0, wanted);
    received_.erase(0, reply.body.size());
  }

  void read_chunks(Reply& reply) {
    for (;;) {
      size_t line_end = received_.find("\r\n");
      while (line_end == std::string::npos) {
        if (!receive()) return finish_cut(reply, 0);
        line_end = received_.find("\r\n");
      }
      size_t size = 0;
      std::from_chars(received_.data(), received_.data() + line_end, size, 16);
      while (received_.size() < line_end + 2 + size + 2) {
        if (!receive()) return finish_cut(reply, line_end + 2);
      }
      const std::string chunk = received_.substr(line_end + 2, size);
      received_.erase(0, line_end + 2 + size + 2);
      if (size == 0) {
        reply.end = Reply::End::kComplete;
        return;
      }
      reply.body += chunk;
      reply.chunks.push_back(chunk);
    }
  }

  void finish_cut(Reply& reply, size_t from) {
    reply.end = end_;
    if (from > 0) reply.body += received_.substr(from);
  }

  const int64_t deadline_ns_;
  int fd_ = -1;
  bool connected_ = false;
  std::string received_;
  Reply::End end_ = Reply::End::kCut;
};

/// One request on a connection of its own.
inline Reply http(uint16_t port, std::string_view method, std::string_view path,
                  std::string_view body = {}, std::string_view extra_headers = {},
                  int limit_ms = BlockingClient::kLimit_ms) {
  BlockingClient client(port, limit_ms);
  return client.exchange(method, path, body, extra_headers);
}

}  // namespace assay::test
