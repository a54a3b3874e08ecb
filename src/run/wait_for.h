#pragma once

#include <boost/asio/co_spawn.hpp>
#include <exception>
#include <optional>

#include "run/session.h"

namespace assay {

template <class T>
T Session::wait_for(Task<T> task) {
  std::optional<T> result;
  std::exception_ptr failure;
  boost::asio::co_spawn(io, std::move(task), [&](std::exception_ptr thrown, T value) {
    failure = thrown;
    result.emplace(std::move(value));
    io.stop();
  });
  io.restart();
  io.run();
  if (failure) std::rethrow_exception(failure);
  return std::move(*result);
}

}  // namespace assay
