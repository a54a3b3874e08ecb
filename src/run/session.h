#pragma once

#include <boost/asio/io_context.hpp>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "base/secret.h"
#include "engines/engine.h"
#include "model/options.h"
#include "model/run.h"
#include "process/bundled_engine.h"

namespace assay {

/// Tells people what is going on before and during a run; the text is one line.
using OnNote = std::function<void(const std::string&)>;

/// A cell with the engine that serves it. Cells of one server share its Engine.
struct LiveCell {
  Cell cell;
  std::shared_ptr<Engine> engine;  ///< Shared by the cells of one server; null when unavailable.
  std::optional<size_t> started;   ///< Index into Session::started of an engine of our own.
};

/// The load thread's world: its event loop, its connections and the engines that this process
/// started. One thread.
struct Session {
  boost::asio::io_context io{1};
  HttpClient http{io};
  std::vector<LiveCell> cells;
  std::vector<BundledEngine> started;

  /// Runs a task on the loop until it is done and returns its result.
  template <class T>
  T wait_for(Task<T> task);
};

/// Whether reload_cell can load the cell's model anew: engines that we started, and those that
/// unload on request.
bool can_reload(const LiveCell& cell);

/// Loads a cell's model anew: starts the bundled engine again, which blocks the loop for as long,
/// or has the server unload the model, so that the next call loads it.
Task<Result<void>> reload_cell(Session& session, size_t cell);

/// The key for servers: `ASSAY_API_KEY`, `OPENAI_API_KEY`, or --api-key-file. kInvalidArgument when
/// the file can be read by others.
Result<Secret> read_api_key(const RunSpec& spec);

/// A server that was asked for or found.
struct TargetAnswer {
  std::string url;
  std::string kind;  ///< Empty when nothing answered.
  std::string version;
  std::vector<ModelInfo> models;
  std::optional<int64_t> threads;
  std::optional<int64_t> slots;
  double took_ms = 0;
  std::string error;  ///< Why it cannot be used; empty when it can.
  std::shared_ptr<Engine> engine;
};

/// Asks the servers that `spec` names, or looks on the usual ports of this machine. With no names
/// only servers that answered are returned. Invalid addresses are kInvalidArgument.
Result<std::vector<TargetAnswer>> probe_targets(Session& session, const RunSpec& spec);

/// Fills `session.cells` with what is to be measured: of each server the models asked for, or its
/// loaded one, or its smallest. Starts the bundled engine when no server is named and none found.
/// kUnavailable when nothing can be measured.
Result<void> open_cells(Session& session, const RunSpec& spec, const OnNote& note);

}  // namespace assay
