#include "supervise/detached.h"

#include <fmt/format.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <nlohmann/json.hpp>

#include "base/files.h"
#include "base/text.h"
#include "model/json.h"

namespace assay {
namespace {

namespace fs = std::filesystem;
using Json = nlohmann::ordered_json;

constexpr int64_t kMaxFileBytes = 64 << 10;
constexpr size_t kMostEngines = 1000;

fs::path folder_of(const fs::path& data_dir) { return data_dir / "engines"; }
fs::path file_of(const fs::path& data_dir, const std::string& id) {
  return folder_of(data_dir) / (id + ".json");
}

Json written(const ProcessIdentity& process) {
  return {{"pid", process.pid}, {"start_ticks", process.start_ticks}, {"boot_id", process.boot_id}};
}

ProcessIdentity read_process(const Json& json) {
  return {json.at("pid").get<int64_t>(), json.at("start_ticks").get<int64_t>(),
          json.at("boot_id").get<std::string>()};
}

std::string written(const DetachedEngine& e) {
  const Json json{{"schema", "assay.engine/1"},
                  {"id", e.id},
                  {"name", e.name},
                  {"state", to_text(e.state)},
                  {"gguf", e.gguf},
                  {"launcher", e.launcher},
                  {"url", e.url},
                  {"key", e.key.reveal()},
                  {"process", written(e.process)},
                  {"loader", written(e.loader)},
                  {"load", load_history_json(e.load)},
                  {"error", e.error},
                  {"since_utc", e.since_utc}};
  return json.dump(2, ' ', false, Json::error_handler_t::replace) + "\n";
}

/// Absent when it is not one of ours. The id is the file's name, whatever stands in it.
std::optional<DetachedEngine> read_engine(const fs::path& file) {
  const auto text = read_file(file, kMaxFileBytes);
  if (!text) return std::nullopt;
  try {
    const Json json = Json::parse(*text);
    DetachedEngine e;
    const auto take = [&](const char* name, std::string& into) {
      into = json.at(name).get<std::string>();
    };
    e.id = file.stem().string();
    take("name", e.name);
    take("gguf", e.gguf);
    take("launcher", e.launcher);
    take("url", e.url);
    take("error", e.error);
    take("since_utc", e.since_utc);
    auto load = read_load_history(json.at("load").dump());
    if (!load) return std::nullopt;
    e.load = std::move(*load);
    e.key = Secret(json.at("key").get<std::string>());
    e.process = read_process(json.at("process"));
    e.loader = read_process(json.at("loader"));
    const auto state = from_text<DetachedEngine::State>(json.at("state").get<std::string>());
    if (!state) return std::nullopt;
    e.state = *state;
    return e;
  } catch (const nlohmann::json::exception&) {
    return std::nullopt;
  }
}

std::string last_line(const fs::path& log) {
  const auto text = read_file(log, 128 << 20);
  if (!text) return {};
  const std::string_view whole = trim(*text);
  return printable(whole.substr(whole.rfind('\n') + 1), 200);
}

}  // namespace

std::vector<DetachedEngine> detached_engines(const fs::path& data_dir) {
  std::vector<DetachedEngine> engines;
  std::error_code error;
  for (fs::directory_iterator at(folder_of(data_dir), error), end; !error && at != end;
       at.increment(error)) {
    if (at->path().extension() != ".json" || engines.size() >= kMostEngines) continue;
    if (auto engine = read_engine(at->path())) engines.push_back(std::move(*engine));
  }
  std::ranges::sort(engines, {}, [](const auto& e) { return std::pair(e.name, e.id); });
  return engines;
}

Result<void> keep_detached(const fs::path& data_dir, const DetachedEngine& engine) {
  const fs::path folder = folder_of(data_dir);
  if (auto made = make_directories(folder); !made) return made;
  if (::chmod(folder.c_str(), 0700) != 0) {
    return fail(Errc::kIo, fmt::format("cannot close {}: {}", folder.string(), errno_text(errno)));
  }
  return write_file_atomic(file_of(data_dir, engine.id), written(engine), 0600);
}

void forget_detached(const fs::path& data_dir, const DetachedEngine& engine) {
  std::error_code ignored;
  fs::remove(file_of(data_dir, engine.id), ignored);
  fs::remove(detached_log_file(data_dir, engine.id), ignored);
}

Result<void> end_detached(const fs::path& data_dir, const DetachedEngine& engine) {
  // Without its file first: whoever waits for it is to know that this was meant.
  std::error_code ignored;
  fs::remove(file_of(data_dir, engine.id), ignored);
  if (auto ended = end_process(engine.process); !ended) {
    if (auto kept = keep_detached(data_dir, engine); !kept) return kept;
    return ended;
  }
  forget_detached(data_dir, engine);
  return {};
}

bool is_kept(const fs::path& data_dir, const std::string& id) {
  return ::access(file_of(data_dir, id).c_str(), F_OK) == 0;
}

fs::path detached_log_file(const fs::path& data_dir, const std::string& id) {
  return folder_of(data_dir) / (id + ".log");
}

std::vector<std::string> sweep_detached(const fs::path& data_dir) {
  std::vector<std::string> told;
  const auto self = identity_of(::getpid());
  for (DetachedEngine& engine : detached_engines(data_dir)) {
    const std::string name = printable(engine.name, 80);
    if (engine.state == DetachedEngine::State::kLoading && !is_running(engine.loader)) {
      const auto ended = end_detached(data_dir, engine);
      told.push_back(ended ? fmt::format("ended the engine of {}, which nobody waited for", name)
                           : ended.error().message);
    } else if (engine.state == DetachedEngine::State::kRunning && !engine.is_alive()) {
      if (self && engine.process.boot_id != self->boot_id) {
        forget_detached(data_dir, engine);
        continue;
      }
      engine.state = DetachedEngine::State::kFailed;
      engine.error =
          fmt::format("engine_died: {}", last_line(detached_log_file(data_dir, engine.id)));
      if (auto kept = keep_detached(data_dir, engine); !kept) told.push_back(kept.error().message);
      told.push_back(fmt::format("the engine of {} has died", name));
    }
  }
  return told;
}

}  // namespace assay
