#include "mock/reset_listener.h"

#include <boost/asio/as_tuple.hpp>
#include <boost/asio/co_spawn.hpp>
#include <boost/asio/detached.hpp>
#include <boost/asio/steady_timer.hpp>
#include <boost/asio/use_awaitable.hpp>
#include <chrono>
#include <tuple>

namespace assay {

namespace asio = boost::asio;
using asio::ip::tcp;

Result<std::unique_ptr<ResetListener>> ResetListener::listen(asio::io_context& io,
                                                             MockStats& stats) {
  boost::system::error_code error;
  tcp::acceptor acceptor(io);
  acceptor.open(tcp::v4(), error);
  if (!error) acceptor.bind(tcp::endpoint(asio::ip::address_v4::loopback(), 0), error);
  if (!error) acceptor.listen(asio::socket_base::max_listen_connections, error);
  if (error) return fail(Errc::kIo, "cannot listen on 127.0.0.1: " + error.message());
  std::unique_ptr<ResetListener> listener(new ResetListener(std::move(acceptor), stats));
  asio::co_spawn(io, listener->accept_all(), asio::detached);
  return listener;
}

ResetListener::ResetListener(tcp::acceptor acceptor, MockStats& stats)
    : acceptor_(std::move(acceptor)), stats_(stats), port_(acceptor_.local_endpoint().port()) {}

void ResetListener::stop() {
  stopping_ = true;
  boost::system::error_code ignored;
  acceptor_.close(ignored);
}

Task<void> ResetListener::accept_all() {
  constexpr auto kAwait = asio::as_tuple(asio::use_awaitable);
  asio::steady_timer retry(acceptor_.get_executor());
  while (!stopping_) {
    auto accepted = co_await acceptor_.async_accept(kAwait);
    if (stopping_) break;
    if (std::get<0>(accepted)) {
      retry.expires_after(std::chrono::milliseconds(10));
      co_await retry.async_wait(kAwait);
      continue;
    }
    tcp::socket& socket = std::get<1>(accepted);
    boost::system::error_code ignored;
    socket.set_option(asio::socket_base::linger(true, 0), ignored);
    socket.close(ignored);
    ++stats_.reset_connections;
  }
}

}  // namespace assay
