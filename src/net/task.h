#pragma once

#include <boost/asio/awaitable.hpp>

namespace assay {

/// A coroutine on one thread's io_context. Awaits inside report failure by value, never by
/// throwing.
template <class T>
using Task = boost::asio::awaitable<T>;

}  // namespace assay
