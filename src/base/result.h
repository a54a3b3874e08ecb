#pragma once

#include <tl/expected.hpp>
#include <utility>

#include "base/error.h"

namespace assay {

/// A value, or the Error that prevented it. Failed calls to an engine are data, not Errors.
template <class T>
using Result = tl::expected<T, Error>;

inline tl::unexpected<Error> fail(Errc code, std::string message, std::string hint = {}) {
  return tl::unexpected<Error>(Error(code, std::move(message), std::move(hint)));
}

inline tl::unexpected<Error> fail(Error error) { return tl::unexpected<Error>(std::move(error)); }

}  // namespace assay
