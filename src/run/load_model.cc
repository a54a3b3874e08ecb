#include "run/load_model.h"

#include <fmt/format.h>
#include <unistd.h>

#include <boost/asio/signal_set.hpp>
#include <csignal>

#include "base/files.h"
#include "base/ids.h"
#include "base/text.h"
#include "run/model_file.h"
#include "run/wait_for.h"

namespace assay {
namespace {

namespace fs = std::filesystem;

Result<void> check_name_is_free(const fs::path& data_dir, const std::string& name) {
  for (const DetachedEngine& engine : detached_engines(data_dir)) {
    if (engine.name != name) continue;
    if (!engine.is_alive()) {
      forget_detached(data_dir, engine);  // A failed one makes room for another try.
      continue;
    }
    return fail(Errc::kConflict,
                fmt::format("{} is {} already", printable(name, 80), to_text(engine.state)),
                "'assay models unload' ends it");
  }
  return {};
}

void tell_fall_back(const OnNote& note, const LoadAttempt& attempt) {
  note(fmt::format("{} with {} layers on the GPU; trying fewer", to_text(attempt.outcome),
                   attempt.settings.gpu_layers.value_or(0)));
}

}  // namespace

Result<DetachedEngine> load_model(const RunSpec& spec, const fs::path& data_dir,
                                  const fs::path& gguf, const OnNote& note) {
  if (!spec.lists.empty()) {
    const auto& [name, values] = *spec.lists.begin();
    return fail(Errc::kInvalidArgument,
                fmt::format("--{} {}: a model is loaded in one way", name, join(values, ",")),
                "'assay run --gguf FILE' measures several");
  }
  const auto file = model_file_at(gguf);
  if (!file) return fail(file.error());
  Session session;
  const LaunchRequest request = launch_request(*file, spec.llama_server, load_settings_of(spec));
  if (const std::string told = projector_left_out(*file, request); !told.empty()) note(told);
  auto made = ManagedEngine::make(session.http, request);
  if (!made) return fail(made.error());
  ManagedEngine& engine = **made;
  if (auto is_free = check_name_is_free(data_dir, request.alias); !is_free) {
    return fail(is_free.error());
  }

  DetachedEngine record;
  record.id = fmt::format("{:08x}", static_cast<uint32_t>(random_u64()));
  record.name = request.alias;
  record.gguf = file->path.string();
  record.launcher = engine.recipe().name;
  record.load.requested = request.settings;
  record.loader = identity_of(::getpid()).value_or(ProcessIdentity());
  record.since_utc = utc_text(wall_now_ns());
  if (auto kept = keep_detached(data_dir, record); !kept) return fail(kept.error());

  bool stopped = false;
  boost::asio::signal_set signals(session.io, SIGINT, SIGTERM);
  signals.async_wait([&](const boost::system::error_code& error, int) { stopped |= !error; });
  LoadOptions options;
  options.timeout = spec.load_timeout;
  options.cancelled = [&] { return stopped || !is_kept(data_dir, record.id); };
  options.on_fall_back = [&](const LoadAttempt& attempt) { tell_fall_back(note, attempt); };
  options.log_file = detached_log_file(data_dir, record.id);
  options.before_exec = [&](pid_t pid) -> Result<void> {
    if (!is_kept(data_dir, record.id)) return fail(Errc::kCancelled, "unloaded");
    record.process = identity_of(pid).value_or(ProcessIdentity());
    record.url = engine.url().text();
    record.key = engine.key();
    return keep_detached(data_dir, record);
  };
  const LoadOutcome outcome = session.wait_for(engine.load(options));
  const LoadAttempt& last = engine.attempts().back();
  record.load.attempts = engine.attempts();
  if (outcome == LoadOutcome::kOk) {
    record.state = DetachedEngine::State::kRunning;
    record.load.effective = engine.effective();
    if (auto kept = keep_detached(data_dir, record); !kept) return fail(kept.error());
    engine.let_go();
    return record;
  }
  // Unloaded meanwhile: its process was ended under us, and its file is gone.
  const bool unloaded = !is_kept(data_dir, record.id);
  if (stopped || unloaded) {
    forget_detached(data_dir, record);
    return fail(Errc::kCancelled,
                fmt::format("cancelled: {} was {} while it was loading", printable(record.name, 80),
                            unloaded ? "unloaded" : "stopped"));
  }
  record.state = DetachedEngine::State::kFailed;
  record.error = fmt::format("{}: {}", to_text(outcome), last.error);
  if (auto kept = keep_detached(data_dir, record); !kept) return fail(kept.error());
  return fail(load_error(request, last));
}

}  // namespace assay
