#pragma once

#include <boost/asio/io_context.hpp>
#include <filesystem>
#include <functional>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "base/secret.h"
#include "engines/engine.h"
#include "model/load_history.h"
#include "model/options.h"
#include "model/run.h"
#include "run/node_sampler.h"
#include "supervise/managed_engine.h"

namespace assay {

/// Tells people what is going on before and during a run; the text is one line.
using OnNote = std::function<void(const std::string&)>;

struct ModelFile;

/// A cell with the engine that serves it. Cells of one server share its Engine.
struct LiveCell {
  Cell cell;
  std::shared_ptr<Engine> engine;  ///< Shared by the cells of one server; null when unavailable.
  std::optional<size_t> started;   ///< Index into Session::started of an engine of our own.
  std::string model_file;          ///< Of an engine of our own; empty elsewhere.
  std::string served_file;         ///< That a server on this machine names; empty elsewhere.
  LaunchSettings asked_load;       ///< Of a server that is not ours: how to load the model.
};

/// A model of a server that is not ours, and what this process did about it.
struct HostedModel {
  LaunchSettings asked;  ///< It was loaded so; without any: as the server likes.
  LoadedModel said;      ///< What the server said of that load.
  int64_t changes = 0;   ///< How often this process loaded it or took it away.
};

/// The load thread's world: its event loop, its connections and the engines that this process
/// started. One thread.
struct Session {
  boost::asio::io_context io{1};
  HttpClient http{io};
  std::vector<LiveCell> cells;
  std::vector<std::unique_ptr<ManagedEngine>> started;
  std::vector<std::unique_ptr<NodeSampler>> nodes;  ///< Other machines that are sampled.
  std::map<std::pair<std::string, std::string>, HostedModel> hosted_models;  ///< By URL and model.
  Nanos load_timeout = std::chrono::seconds(180);  ///< Of an engine of ours.
  std::function<bool()> stopping;                  ///< Ends a load that is under way; may be empty.

  /// The engine of ours behind a cell; null where it is none.
  [[nodiscard]] ManagedEngine* managed(const LiveCell& cell) const {
    return cell.started ? started[*cell.started].get() : nullptr;
  }

  /// Runs a task on the loop until it is done and returns its result.
  template <class T>
  T wait_for(Task<T> task);
};

/// Whether reload_cell can load the cell's model anew: engines that we started, and those that
/// unload on request.
bool can_reload(const LiveCell& cell);

/// Takes a cell's model away and returns the record's cold_kind: `restart` after an engine of our
/// own was stopped, else Engine::make_cold's.
Task<Result<std::string>> unload_cell(Session& session, size_t cell);
/// Has it there again: starts an engine of our own, with the settings that were in effect, or asks
/// the server. False where the next call loads it. kCancelled when `session.stopping` said so.
Task<Result<bool>> load_cell(Session& session, size_t cell);
/// Both, one after the other.
Task<Result<void>> reload_cell(Session& session, size_t cell);

/// Adds a cell for a model file, in an engine of ours. One that cannot be loaded is a cell too,
/// which says why. Errors are those before the start: what is asked for makes no sense.
Result<void> add_managed_cell(Session& session, const RunSpec& spec, const ModelFile& file,
                              const OnNote& note);
/// The same for the file of --gguf, or the shape of --shape, or the default one.
Result<void> add_named_file(Session& session, const RunSpec& spec, const OnNote& note);

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
  std::string busy;   ///< EngineInfo::busy
  std::string error;  ///< Why it cannot be used; empty when it can.
  std::shared_ptr<Engine> engine;
  std::string launcher;             ///< Of an engine that `assay models load` started; else empty.
  std::optional<LoadHistory> load;  ///< Of the same.
  LaunchSettings told_load;         ///< EngineInfo::load
};

/// Asks one server what it is: one of `kind`, or the first kind that recognises it when that is
/// empty.
Task<TargetAnswer> ask_server(HttpClient& http, Url url, Secret key, std::string kind,
                              Nanos timeout);
/// The cell of a model that a server offers.
LiveCell make_cell(const TargetAnswer& target, const ModelInfo& model);

/// Has the server behind a cell load its model with these settings. Engines of ours were started
/// with theirs: no effect.
void ask_for_load(const LaunchSettings& settings, LiveCell& live);

/// Asks the servers that `spec` names, or looks on the usual ports of this machine. With no names
/// only servers that answered are returned. Invalid addresses are kInvalidArgument.
Result<std::vector<TargetAnswer>> probe_targets(Session& session, const RunSpec& spec);

/// Fills `session.cells` with what is to be measured: of each server the models asked for, or its
/// loaded one, or its smallest. Starts the bundled engine when no server is named and none found.
/// kUnavailable when nothing can be measured. What such a server cannot be asked for is left to the
/// plan: Engine::fit.
Result<void> open_cells(Session& session, const RunSpec& spec, const OnNote& note);

}  // namespace assay
