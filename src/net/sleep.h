#pragma once

#include <boost/asio/as_tuple.hpp>
#include <boost/asio/io_context.hpp>
#include <boost/asio/steady_timer.hpp>
#include <boost/asio/use_awaitable.hpp>

#include "base/clock.h"
#include "net/task.h"

namespace assay {

/// Comes back after `duration`, on the loop of `io`.
inline Task<void> sleep_for(boost::asio::io_context& io, Nanos duration) {
  boost::asio::steady_timer timer(io, duration);
  co_await timer.async_wait(boost::asio::as_tuple(boost::asio::use_awaitable));
}

}  // namespace assay
