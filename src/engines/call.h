#pragma once

#include <functional>
#include <memory>
#include <string>

#include "engines/engine.h"
#include "engines/stream_recorder.h"
#include "net/limits.h"

namespace assay {

/// What one attempt at a call brought: the facts, and the text for those who keep it.
struct CallResult {
  CallRecord record;  ///< The fields that are planned come from the caller, the facts are added.
  std::string text;   ///< Visible text, also of a failed call as far as it came.
  /// The server asks to be left alone for this long (Retry-After); absent when it does not say.
  std::optional<Nanos> retry_after;
  /// The attempt failed only because the server refuses an optional member; now it is left out.
  bool refused_member = false;
  /// It failed because the engine had unloaded the model: the next attempt loads it again.
  bool model_unloaded = false;
};

/// Sends one request and records its stream in `result`. Always completes: a failed call is data.
/// `result` lives in the caller because a record takes more than a kilobyte, and passed by value
/// every waiting call would hold it four times. So does `watch`, by which the caller may cancel.
Task<void> call_engine(Engine& engine, const CallRequest& request, MonoNs epoch, CallWatch& watch,
                       const OnLive* live, CallResult& result);

}  // namespace assay
