#include <fmt/format.h>

#include <algorithm>

#include "base/files.h"
#include "base/text.h"
#include "gguf/dummy_model.h"
#include "run/instrument_cache.h"
#include "run/model_file.h"
#include "run/served_load.h"
#include "run/session.h"
#include "run/wait_for.h"

namespace assay {
namespace {

namespace fs = std::filesystem;

constexpr Nanos kProbeTimeout = std::chrono::seconds(5);

/// What is served when there is nothing else: small enough to be written in seconds and measured
/// within the usual budget on two cores, large enough to be memory-bound like its bigger siblings.
constexpr std::string_view kDefaultShape = "smollm2-135m:q8_0";

/// The dummy model of that shape, written to the cache when it is not there yet.
Result<fs::path> cached_dummy(const std::string& shape, const OnNote& note) {
  auto spec = parse_shape(shape);
  if (!spec) return fail(spec.error());
  std::string name = to_lower(shape);
  if (name.find(':') == std::string::npos) name += ":q8_0";
  std::replace(name.begin(), name.end(), ':', '-');
  const fs::path directory = cache_directory();
  if (auto made = make_directories(directory); !made) return fail(made.error());
  const fs::path path = directory / fmt::format("{}.gguf", name);
  std::error_code error;
  if (fs::exists(path, error)) return path;
  note(fmt::format("writing a random-weight model in the shape of {} to {}", shape,
                   short_path(path)));
  auto written = write_dummy_model(*spec, path);
  if (!written) return fail(written.error());
  return path;
}

/// What is asked of the engine: the user's settings, and room for the run's texts and calls.
LaunchSettings wanted_settings(const RunSpec& spec) {
  LaunchSettings settings = load_settings_of(spec);
  constexpr int64_t kMostSlots = 64;
  if (!settings.parallel) settings.parallel = std::min(levels_of(spec).back(), kMostSlots);
  if (settings.context_length) return settings;
  // Room for the deepest leg of suite speed and its answer.
  int64_t context = 5120;
  for (const auto* lengths : {&spec.depth, &spec.input_len, &spec.output_len}) {
    for (const int64_t length : *lengths) context = std::max(context, length + 1024);
  }
  settings.context_length = context;
  return settings;
}

/// What the cell's engine is and does after a load that succeeded.
Task<Result<TargetAnswer>> meet(Session& session, const ManagedEngine& engine) {
  TargetAnswer answer =
      co_await ask_server(session.http, engine.url(), engine.key(),
                          std::string(engine.recipe().engine_kind), kProbeTimeout);
  if (answer.kind.empty() || answer.models.empty()) {
    co_return fail(Errc::kProtocol, fmt::format("{} does not answer as it should: {}",
                                                engine.recipe().name, answer.error));
  }
  co_return answer;
}

/// What the server says of itself completes what is in effect.
LaunchSettings effective_settings(const ManagedEngine& engine, const TargetAnswer& answer) {
  LaunchSettings settings = engine.effective();
  if (answer.threads) settings.threads = answer.threads;
  if (answer.slots) settings.parallel = answer.slots;
  if (answer.models.front().context_length) {
    settings.context_length = answer.models.front().context_length;
  }
  return settings;
}

std::string told(const LoadAttempt& attempt) {
  const auto layers = attempt.settings.gpu_layers;
  return fmt::format("{} layers on the GPU: {}; trying fewer",
                     layers ? fmt::format("{}", *layers) : "all", printable(attempt.error, 200));
}

void add_failed_cell(Session& session, const ManagedEngine& engine, LiveCell live) {
  const LoadAttempt& last = engine.attempts().back();
  live.cell.id = fmt::format("local:{}:{}", engine.recipe().engine_kind, live.cell.model);
  live.cell.kind = engine.recipe().engine_kind;
  live.cell.unavailable = fmt::format("{}: {}", to_text(last.outcome), printable(last.error, 200));
  session.cells.push_back(std::move(live));
}

}  // namespace

Result<void> add_managed_cell(Session& session, const RunSpec& spec, const ModelFile& file,
                              const OnNote& note) {
  const GgufInfo& info = file.header;
  LaunchRequest request = launch_request(file, spec.llama_server, wanted_settings(spec));
  const std::string left_out = projector_left_out(file, request);
  auto made = ManagedEngine::make(session.http, std::move(request));
  if (!made) return fail(made.error());
  ManagedEngine& engine = **made;
  if (!left_out.empty()) note(left_out);
  note(fmt::format("starting {} with {}",
                   spec.llama_server.empty() ? "the bundled llama.cpp engine" : spec.llama_server,
                   file.path.filename().string()));
  session.load_timeout = spec.load_timeout;
  LoadOptions options;
  options.timeout = spec.load_timeout;
  options.on_fall_back = [&note](const LoadAttempt& attempt) { note(told(attempt)); };
  const LoadOutcome outcome = session.wait_for(engine.load(options));

  LiveCell live;
  std::optional<TargetAnswer> answer;
  if (outcome == LoadOutcome::kOk) {
    auto met = session.wait_for(meet(session, engine));
    if (!met) return fail(met.error());
    answer = std::move(*met);
    live = make_cell(*answer, answer->models.front());
  }
  Cell& cell = live.cell;
  cell.model = engine.request().alias;
  cell.managed = true;
  cell.random_weights = info.random_weights;
  cell.quantization = info.quantisation;
  cell.model_bytes = info.file_bytes;
  cell.launcher = engine.recipe().name;
  cell.load_requested = engine.request().settings;
  cell.load_attempts = engine.attempts();
  if (!answer) {
    add_failed_cell(session, engine, std::move(live));
    return {};
  }
  cell.load_effective = effective_settings(engine, *answer);
  cell.load_ms = engine.load_ms();
  cell.threads = cell.load_effective->threads;
  if (const auto& cost = info.token_cost) {
    // On this machine's cores alone the machine's own speed is the ceiling.
    const bool on_cores = cell.load_effective->gpu_layers.value_or(0) == 0;
    if (on_cores) {
      cell.token_cost = TokenCost{cost->weight_bytes, cost->context_bytes, cost->operations};
    }
  }
  live.started = session.started.size();
  live.model_file = file.path.string();
  session.cells.push_back(std::move(live));
  session.started.push_back(std::move(*made));
  return {};
}

Result<void> add_named_file(Session& session, const RunSpec& spec, const OnNote& note) {
  fs::path path = spec.gguf;
  if (spec.gguf.empty()) {
    auto dummy = cached_dummy(spec.shape.empty() ? std::string(kDefaultShape) : spec.shape, note);
    if (!dummy) return fail(dummy.error());
    path = std::move(*dummy);
  }
  const auto file = model_file_at(path);
  if (!file) return fail(file.error());
  return add_managed_cell(session, spec, *file, note);
}

bool can_reload(const LiveCell& cell) {
  return cell.started.has_value() || (cell.engine != nullptr && cell.engine->unloads());
}

Task<Result<std::string>> unload_cell(Session& session, size_t cell) {
  LiveCell& live = session.cells[cell];
  ManagedEngine* engine = session.managed(live);
  if (engine == nullptr) {
    auto kind = co_await live.engine->make_cold(live.cell.model);
    if (kind) forget_load(session, live);
    co_return kind;
  }
  engine->stop();
  co_return std::string("restart");
}

Task<Result<bool>> load_cell(Session& session, size_t cell) {
  LiveCell& live = session.cells[cell];
  ManagedEngine* engine = session.managed(live);
  if (engine == nullptr) {
    if (live.engine->loads_in_call() && !asks_for_load(live)) co_return false;
    const auto loaded = co_await load_served(session, live);
    if (!loaded) co_return fail(loaded.error());
    co_return true;
  }
  LoadOptions options;
  options.timeout = session.load_timeout;
  options.cancelled = session.stopping;
  const LoadOutcome outcome = co_await engine->load(options);
  if (outcome != LoadOutcome::kOk) {
    co_return fail(load_error(engine->request(), engine->attempts().back()));
  }
  auto answer = co_await meet(session, *engine);
  if (!answer) co_return fail(answer.error());
  for (LiveCell& other : session.cells) {
    if (other.started == live.started) other.engine = answer->engine;
  }
  co_return true;
}

Task<Result<void>> reload_cell(Session& session, size_t cell) {
  // One after the other: two models at once might not fit.
  const auto unloaded = co_await unload_cell(session, cell);
  if (!unloaded) co_return fail(unloaded.error());
  const auto loaded = co_await load_cell(session, cell);
  if (!loaded) co_return fail(loaded.error());
  co_return Result<void>();
}

}  // namespace assay
