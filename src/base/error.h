#pragma once

#include <cstdint>
#include <string>

namespace assay {

/// What kind of thing went wrong; decides the exit code (see cli/exit_codes.h).
enum class Errc : uint8_t {
  kInvalidArgument,  ///< The caller's input is wrong: names the field.
  kNotFound,         ///< The named thing does not exist.
  kUnavailable,      ///< Nothing answers there.
  kTimeout,          ///< A stated limit ran out.
  kProtocol,         ///< The other side answered something its protocol does not allow.
  kIo,               ///< The operating system refused a read or write.
  kConflict,         ///< Somebody else holds it.
  kCancelled,        ///< Stopped on request.
};

/// An operation that failed. `message` is one sentence that names the thing; `hint` says what to do
/// next and may be empty.
struct Error {
  Errc code{};
  std::string message;
  std::string hint;

  Error() = default;
  Error(Errc error_code, std::string what, std::string next_step = {})
      : code(error_code), message(std::move(what)), hint(std::move(next_step)) {}
};

}  // namespace assay
