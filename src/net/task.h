#pragma once

#include <boost/asio/awaitable.hpp>
#include <boost/asio/io_context.hpp>

namespace assay {

/// A coroutine on one event loop. Rules: docs/decisions.md, "Coroutines".
template <class T>
using Task = boost::asio::awaitable<T>;

}  // namespace assay
