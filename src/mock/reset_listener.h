#pragma once

#include <boost/asio/io_context.hpp>
#include <boost/asio/ip/tcp.hpp>
#include <cstdint>
#include <memory>

#include "base/result.h"
#include "mock/stats.h"
#include "net/task.h"

namespace assay {

/// Accepts connections on a free port of 127.0.0.1 and resets each at once, for clients that are
/// to meet a reset before they have sent anything. Lives on the io_context's thread.
class ResetListener {
 public:
  static Result<std::unique_ptr<ResetListener>> listen(boost::asio::io_context& io,
                                                       MockStats& stats);

  [[nodiscard]] uint16_t port() const { return port_; }
  void stop();

 private:
  ResetListener(boost::asio::ip::tcp::acceptor acceptor, MockStats& stats);
  Task<void> accept_all();

  boost::asio::ip::tcp::acceptor acceptor_;
  MockStats& stats_;
  const uint16_t port_;
  bool stopping_ = false;
};

}  // namespace assay
