#pragma once

#include <cstdint>

#include "base/clock.h"

namespace assay {

/// The time a call may take, part by part. Zero means no limit. Comments and other events without
/// text reset nothing.
struct Limits {
  Nanos connect = std::chrono::seconds(5);
  Nanos first_byte = std::chrono::minutes(10);   ///< From sent; a model may load meanwhile.
  Nanos first_token = std::chrono::minutes(10);  ///< From sent to the first text-bearing event.
  Nanos idle = std::chrono::minutes(2);          ///< Between text-bearing events.
  Nanos total = std::chrono::minutes(60);        ///< From the start of the call.
};

/// Which limit ran out. kBusy is up to whoever knows the engine's machine: CallWatch::too_busy().
enum class Expired : uint8_t {
  kNo,
  kConnect,
  kFirstByte,
  kFirstToken,
  kIdle,
  kTotal,
  kBusy,
  kCancelled
};

}  // namespace assay
