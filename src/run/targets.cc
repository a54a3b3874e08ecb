#include <fmt/format.h>
#include <sys/stat.h>

#include <algorithm>
#include <cstdlib>
#include <limits>
#include <map>
#include <set>

#include "base/files.h"
#include "base/text.h"
#include "run/model_facts.h"
#include "run/model_filter.h"
#include "run/registry_cells.h"
#include "run/session.h"
#include "run/wait_for.h"
#include "store/run_dir.h"
#include "supervise/detached.h"

namespace assay {
namespace {

constexpr Nanos kLookTimeout = std::chrono::seconds(1);
constexpr Nanos kProbeTimeout = std::chrono::seconds(5);

/// Where engines usually listen on this machine.
Result<std::vector<Url>> usual_places() {
  std::vector<Url> places;
  const auto add = [&](const Url& url) {
    for (const Url& known : places) {
      if (known.text() == url.text()) return;
    }
    places.push_back(url);
  };
  if (const char* named = std::getenv("OLLAMA_HOST"); named != nullptr && *named != '\0') {
    std::string text(named);
    const bool has_port =
        text.find(':', text.find("://") == std::string::npos ? 0 : text.find("://") + 3) !=
        std::string::npos;
    if (!has_port) text += ":11434";
    auto url = parse_url(text);
    if (!url) return fail(Errc::kInvalidArgument, "OLLAMA_HOST: " + url.error().message);
    if (url->host == "0.0.0.0") url->host = "127.0.0.1";  // What a server listens on.
    add(*url);
  }
  for (const uint16_t port : std::initializer_list<uint16_t>{11434, 8080, 1234, 8000}) {
    Url url;
    url.host = "127.0.0.1";
    url.port = port;
    add(url);
  }
  return places;
}

bool can_generate(const ModelInfo& model) {
  return !model.is_embedding && !model.is_projector && !model.is_remote;
}

/// The loaded model, else the smallest by size, else the first.
const ModelInfo* usual_model(const std::vector<ModelInfo>& models) {
  const ModelInfo* best = nullptr;
  const auto rank = [](const ModelInfo& m) {
    return std::pair(m.loaded ? 0 : 1, m.bytes.value_or(std::numeric_limits<int64_t>::max()));
  };
  for (const ModelInfo& model : models) {
    if (!can_generate(model)) continue;
    if (best == nullptr || rank(model) < rank(*best)) best = &model;
  }
  return best;
}

std::string cell_id(const TargetAnswer& target, const std::string& model) {
  const auto url = parse_url(target.url);
  const std::string node = url && url->is_loopback() ? "local" : url ? url->host : "unknown";
  return fmt::format("{}:{}:{}", node, target.kind.empty() ? "unknown" : target.kind, model);
}

}  // namespace

namespace {

/// What the server says of its load completes what is known of it.
void complete_load(const LaunchSettings& told, Cell& cell) {
  if (told == LaunchSettings()) return;
  LaunchSettings known = cell.load_effective.value_or(LaunchSettings());
  const auto complete = [](auto& to, const auto& from) {
    if (!to) to = from;
  };
  complete(known.flash_attention, told.flash_attention);
  complete(known.cache_type_k, told.cache_type_k);
  complete(known.cache_type_v, told.cache_type_v);
  complete(known.batch_size, told.batch_size);
  complete(known.gpu_layers, told.gpu_layers);
  cell.load_effective = std::move(known);
}

}  // namespace

void ask_for_load(const LaunchSettings& settings, LiveCell& live) {
  if (live.cell.managed) return;
  live.asked_load = settings;
  // What 'assay models load' started tells itself how that was asked for.
  if (!live.cell.launcher.empty()) return;
  live.cell.load_requested.reset();
  if (settings != LaunchSettings()) live.cell.load_requested = settings;
}

LiveCell make_cell(const TargetAnswer& target, const ModelInfo& listed) {
  const auto url = parse_url(target.url);
  const bool is_here = url && url->is_loopback();
  ModelInfo model = listed;
  if (is_here) complete_from_file(model);
  LiveCell live;
  Cell& c = live.cell;
  c.id = cell_id(target, model.name);
  c.kind = target.kind;
  c.url = target.url;
  c.model = model.name;
  c.version = target.version;
  c.quantization = model.quantization;
  c.model_bytes = model.bytes;
  c.context_length = model.context_length;
  c.digest = model.digest;
  c.threads = target.threads;
  c.slots = target.slots;
  c.memory_bytes = model.memory_bytes;
  c.vram_bytes = model.vram_bytes;
  if (target.load) {
    c.launcher = target.launcher;
    c.load_requested = target.load->requested;
    c.load_effective = target.load->effective;
    c.load_attempts = target.load->attempts;
    if (!c.load_attempts.empty() && c.load_attempts.back().outcome == LoadOutcome::kOk) {
      c.load_ms = c.load_attempts.back().took_ms;
    }
  }
  complete_load(target.told_load, c);
  live.engine = target.engine;
  if (is_here) live.served_file = model.file;
  return live;
}

namespace {
/// Every model that can answer, fits the names asked for and holds the conditions.
Result<void> add_all_models(Session& session, TargetAnswer& target, const RunSpec& spec,
                            const OnNote& note) {
  const auto filter = ModelFilter::of(spec);
  if (!filter) return fail(filter.error());
  std::map<std::string, int64_t> left_out;
  int64_t taken = 0;
  const auto url = parse_url(target.url);
  for (ModelInfo& model : target.models) {
    if (url && url->is_loopback()) complete_from_file(model);
    if (asks_for_details(spec)) {
      const auto told = session.wait_for(target.engine->describe(model, kProbeTimeout));
      if (!told) note(fmt::format("{}: {}", printable(model.name, 80), told.error().message));
    }
    std::string why = can_generate(model) ? filter->refuses(model) : "it does not generate text";
    const bool named = spec.models.empty() ||
                       std::any_of(spec.models.begin(), spec.models.end(),
                                   [&](const auto& name) { return glob_match(name, model.name); });
    if (!named) why = "-m";
    if (!why.empty()) {
      ++left_out[why];
      continue;
    }
    session.cells.push_back(make_cell(target, model));
    ++taken;
  }
  std::vector<std::string> reasons;
  for (const auto& [why, models] : left_out) reasons.push_back(fmt::format("{} ({})", why, models));
  note(fmt::format("{} at {}: {} of {} models{}{}", target.kind, target.url, taken,
                   target.models.size(),
                   reasons.empty() ? "" : "; left out: ", join(reasons, ", ")));
  return {};
}

/// Whether a name means a model file that is measured.
bool means_file(const FilesToMeasure& files, const std::string& name) {
  return std::ranges::find(files.names, name) != files.names.end();
}

Result<void> add_models(Session& session, TargetAnswer& target, const RunSpec& spec,
                        const FilesToMeasure& files, const OnNote& note) {
  if (target.kind.empty()) {
    LiveCell live;
    live.cell.id = cell_id(target, "-");
    live.cell.url = target.url;
    live.cell.unavailable = fmt::format("unreachable ({})", target.error);
    session.cells.push_back(std::move(live));
    return {};
  }
  if (!target.busy.empty()) note(fmt::format("{} is busy: {}", target.url, target.busy));
  if (asks_for_all_models(spec)) return add_all_models(session, target, spec, note);
  if (spec.models.empty()) {
    const ModelInfo* model = usual_model(target.models);
    if (model == nullptr) {
      return fail(Errc::kNotFound, fmt::format("{} at {} offers no model", target.kind, target.url),
                  "load one there, or name it with -m");
    }
    if (target.models.size() > 1) {
      note(fmt::format("{} at {}: measuring {} ({}); -m NAME chooses another of its {} models",
                       target.kind, target.url, printable(model->name, 80),
                       model->loaded ? "loaded" : "the smallest", target.models.size()));
    }
    session.cells.push_back(make_cell(target, *model));
    return {};
  }
  for (const std::string& wanted : spec.models) {
    bool found = false;
    for (const ModelInfo& model : target.models) {
      if (!glob_match(wanted, model.name)) continue;
      const bool pattern = wanted.find_first_of("*?") != std::string::npos;
      if (pattern && !can_generate(model)) continue;
      session.cells.push_back(make_cell(target, model));
      found = true;
    }
    if (found || means_file(files, wanted)) continue;
    if (wanted.find_first_of("*?") != std::string::npos) {
      return fail(Errc::kNotFound,
                  fmt::format("no model at {} matches '{}'", target.url, printable(wanted, 80)));
    }
    // Servers may answer to names that they do not list: the calls will tell.
    ModelInfo unlisted;
    unlisted.name = wanted;
    session.cells.push_back(make_cell(target, unlisted));
  }
  return {};
}

}  // namespace

namespace {

/// Servers of one machine may offer a model by the same name: their ports tell them apart.
void tell_apart(std::vector<LiveCell>& cells) {
  std::map<std::string, std::set<std::string>> urls;
  for (const LiveCell& live : cells) urls[live.cell.id].insert(live.cell.url);
  for (LiveCell& live : cells) {
    const auto url = parse_url(live.cell.url);
    if (url && urls[live.cell.id].size() > 1) live.cell.id += fmt::format("@{}", url->port);
  }
}

}  // namespace

Task<TargetAnswer> ask_server(HttpClient& http, Url url, Secret key, std::string kind,
                              Nanos timeout) {
  TargetAnswer answer;
  answer.url = url.text();
  const MonoNs started = mono_now_ns();
  for (const EngineEntry& entry : engine_table()) {
    if (!kind.empty() && entry.name != kind) continue;
    std::shared_ptr<Engine> engine = entry.make(http, url, key);
    auto info = co_await engine->probe(timeout);
    // A kind that the user named is taken on trust where only its mark is missing, as behind a
    // gateway that passes on nothing but the dialect.
    if (!info && info.error().code == Errc::kNotFound && !kind.empty()) info = EngineInfo();
    if (!info) {
      answer.error = info.error().message;
      // Nobody there: the other kinds would not answer either.
      if (info.error().code == Errc::kUnavailable || info.error().code == Errc::kTimeout) break;
      continue;
    }
    auto models = co_await engine->models(timeout);
    if (!models) {
      answer.error = models.error().message;
      continue;
    }
    answer.kind = entry.name;
    answer.version = info->version;
    answer.threads = info->threads;
    answer.slots = info->slots;
    answer.busy = info->busy;
    answer.told_load = info->load;
    answer.models = std::move(*models);
    answer.engine = std::move(engine);
    answer.error.clear();
    break;
  }
  answer.took_ms = static_cast<double>(mono_now_ns() - started) / 1e6;
  co_return answer;
}

Result<Secret> read_api_key(const RunSpec& spec) {
  if (!spec.api_key_file.empty()) {
    struct stat info {};
    if (::stat(spec.api_key_file.c_str(), &info) == 0 && (info.st_mode & 077) != 0) {
      return fail(Errc::kInvalidArgument,
                  fmt::format("{} can be read by others", spec.api_key_file),
                  fmt::format("chmod 600 {}", spec.api_key_file));
    }
    auto text = read_file(spec.api_key_file, 64 << 10);
    if (!text) return fail(text.error());
    return Secret(std::string(trim(*text)));
  }
  for (const char* name : {"ASSAY_API_KEY", "OPENAI_API_KEY"}) {
    if (const char* value = std::getenv(name); value != nullptr && *value != '\0') {
      return Secret(value);
    }
  }
  return Secret();
}

namespace {

/// Engines that `assay models load` started and that still run.
std::vector<DetachedEngine> loaded_engines(const RunSpec& spec) {
  const auto data_dir = data_directory(
      spec.data_dir.empty() ? std::nullopt : std::optional<std::string>(spec.data_dir));
  if (!data_dir) return {};
  auto engines = detached_engines(*data_dir);
  std::erase_if(engines, [](const DetachedEngine& engine) {
    return engine.state != DetachedEngine::State::kRunning || !engine.is_alive();
  });
  return engines;
}

}  // namespace

Result<std::vector<TargetAnswer>> probe_targets(Session& session, const RunSpec& spec) {
  auto key = read_api_key(spec);
  if (!key) return fail(key.error());
  if (!spec.engine.empty()) {
    if (auto known = find_engine(spec.engine); !known) return fail(known.error());
  }
  std::vector<Url> urls;
  for (const std::string& text : spec.targets) {
    auto url = parse_url(text);
    if (!url) return fail(url.error());
    // People paste the base address that other clients want.
    if (url->path.size() >= 3 && url->path.compare(url->path.size() - 3, 3, "/v1") == 0) {
      url->path.resize(url->path.size() - 3);
    }
    urls.push_back(*url);
  }
  const bool looking = urls.empty();
  const std::vector<DetachedEngine> ours = loaded_engines(spec);
  if (looking) {
    auto places = usual_places();
    if (!places) return fail(places.error());
    urls = std::move(*places);
    for (const DetachedEngine& engine : ours) {
      if (auto url = parse_url(engine.url)) urls.push_back(*url);
    }
  }
  std::vector<TargetAnswer> answers;
  for (const Url& url : urls) {
    // A key is sent only to servers that the user named, and to ours their own.
    const auto own = std::ranges::find(ours, url.text(), &DetachedEngine::url);
    const Secret use = own != ours.end() ? own->key : looking ? Secret() : *key;
    TargetAnswer answer = session.wait_for(
        ask_server(session.http, url, use, spec.engine, looking ? kLookTimeout : kProbeTimeout));
    if (own != ours.end()) {
      answer.launcher = own->launcher;
      answer.load = own->load;
      // It serves one model, and not every engine tells its file.
      for (ModelInfo& model : answer.models) model.file = own->gguf;
    }
    if (!looking || !answer.kind.empty()) answers.push_back(std::move(answer));
  }
  return answers;
}

namespace {

/// No server is there and no model file may be measured.
Result<void> nothing_answers(Session& session, const RunSpec& spec, const FilesToMeasure& files,
                             const OnNote& note) {
  const std::string nobody = "no engine answers on the usual ports of this machine";
  if (!files.why_not.empty()) {
    return fail(Errc::kUnavailable, fmt::format("{}; {}", nobody, join(files.why_not, "; ")),
                files.hint);
  }
  if (files.refused > 0) {
    return fail(Errc::kNotFound, "no model holds the conditions",
                "'assay models scan' shows what there is; the notes above say why each was left "
                "out");
  }
  if (asks_for_all_models(spec)) {
    return fail(Errc::kUnavailable,
                fmt::format("{}, and no model file is enabled for benchmarks", nobody),
                "start one, or 'assay models scan', 'models enable' and 'models benchmark' a file");
  }
  if (!spec.engine.empty() || !spec.models.empty()) {
    return fail(Errc::kUnavailable, nobody, "start one, or name it with --target URL");
  }
  note("no engine answers on ports 11434, 8080, 1234 and 8000");
  return add_named_file(session, spec, note);
}

}  // namespace

Result<void> open_cells(Session& session, const RunSpec& spec, const OnNote& note) {
  if (!spec.gguf.empty() || !spec.shape.empty()) return add_named_file(session, spec, note);
  auto answers = probe_targets(session, spec);
  if (!answers) return fail(answers.error());
  const auto files = files_to_measure(spec, *answers, note);
  if (!files) return fail(files.error());
  if (answers->empty() && files->files.empty()) return nothing_answers(session, spec, *files, note);
  for (const std::string& why : files->why_not) note(why);
  bool any = !files->files.empty();
  std::string why;
  for (TargetAnswer& answer : *answers) {
    any = any || !answer.kind.empty();
    if (answer.kind.empty()) why = answer.error;
    if (auto added = add_models(session, answer, spec, *files, note); !added) return added;
  }
  tell_apart(session.cells);
  if (auto added = add_registry_cells(session, spec, files->files, note); !added) return added;
  for (LiveCell& live : session.cells) {
    ask_for_load(load_settings_of(spec), live);
  }
  if (any && session.cells.empty()) {
    return fail(
        Errc::kNotFound, "no model holds the conditions",
        "'assay models list' shows what there is; the notes above say why each was left out");
  }
  if (!any) {
    return fail(Errc::kUnavailable, fmt::format("no target can be reached: {}", why),
                "check that the server runs; 'assay targets probe' shows what answers");
  }
  return {};
}

}  // namespace assay
