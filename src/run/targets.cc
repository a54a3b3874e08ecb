#include <fmt/format.h>
#include <sys/stat.h>

#include <algorithm>
#include <cstdlib>
#include <limits>

#include "base/files.h"
#include "base/text.h"
#include "gguf/dummy_model.h"
#include "gguf/gguf_reader.h"
#include "run/instrument_cache.h"
#include "run/session.h"
#include "run/wait_for.h"

namespace assay {
namespace {

namespace fs = std::filesystem;

constexpr Nanos kLookTimeout = std::chrono::seconds(1);
constexpr Nanos kProbeTimeout = std::chrono::seconds(5);

/// What is served when there is nothing else: small enough to be written in seconds and measured
/// within the usual budget on two cores, large enough to be memory-bound like its bigger siblings.
constexpr std::string_view kDefaultShape = "smollm2-135m:q8_0";

/// Tries the kinds in the table's order until one recognises what answers.
Task<TargetAnswer> ask(HttpClient& http, Url url, Secret key, std::string kind, Nanos timeout) {
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
    answer.models = std::move(*models);
    answer.engine = std::move(engine);
    answer.error.clear();
    break;
  }
  answer.took_ms = static_cast<double>(mono_now_ns() - started) / 1e6;
  co_return answer;
}

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

LiveCell make_cell(const TargetAnswer& target, const ModelInfo& model) {
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
  c.memory_bytes = model.vram_bytes;
  live.engine = target.engine;
  return live;
}

Result<void> add_models(Session& session, const TargetAnswer& target, const RunSpec& spec,
                        const OnNote& note) {
  if (target.kind.empty()) {
    LiveCell live;
    live.cell.id = cell_id(target, "-");
    live.cell.url = target.url;
    live.cell.unavailable = fmt::format("unreachable ({})", target.error);
    session.cells.push_back(std::move(live));
    return {};
  }
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
    if (found) continue;
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

Result<void> start_bundled(Session& session, const RunSpec& spec, const OnNote& note) {
  fs::path gguf = spec.gguf;
  if (spec.gguf.empty()) {
    auto path = cached_dummy(spec.shape.empty() ? std::string(kDefaultShape) : spec.shape, note);
    if (!path) return fail(path.error());
    gguf = *path;
  }
  const auto info = read_gguf_info(gguf);
  if (!info) return fail(info.error());
  BundledSpec bundled;
  bundled.gguf = gguf;
  bundled.alias = gguf.stem().string();
  bundled.threads = spec.threads;
  bundled.parallel = std::min<int64_t>(spec.max_concurrency, 64);
  // Room for the deepest leg of suite speed and its answer.
  int64_t context = 5120;
  for (const int64_t depth : spec.depth) context = std::max(context, depth + 1024);
  for (const int64_t length : spec.input_len) context = std::max(context, length + 1024);
  for (const int64_t length : spec.output_len) context = std::max(context, length + 1024);
  bundled.context = spec.context_length.value_or(context);
  note(fmt::format("starting the bundled llama.cpp engine with {}", gguf.filename().string()));
  auto engine = start_bundled_engine(bundled);
  if (!engine) return fail(engine.error());

  RunSpec there;
  there.targets = {engine->url};
  there.engine = "llamacpp";
  auto answers = probe_targets(session, there);
  if (!answers) return fail(answers.error());
  if (answers->front().kind.empty() || answers->front().models.empty()) {
    return fail(Errc::kProtocol, "the bundled engine does not answer: " + answers->front().error);
  }
  LiveCell live = make_cell(answers->front(), answers->front().models.front());
  live.cell.managed = true;
  live.cell.random_weights = info->random_weights;
  live.cell.quantization = info->quantisation;
  live.cell.model_bytes = info->file_bytes;
  live.cell.load_ms = engine->load_ms;
  live.cell.threads = engine->threads;
  if (const auto& cost = info->token_cost) {  // It computes on this machine's cores.
    live.cell.token_cost = TokenCost{cost->weight_bytes, cost->context_bytes, cost->operations};
  }
  live.started = session.started.size();
  session.cells.push_back(std::move(live));
  session.started.push_back(std::move(*engine));
  return {};
}

}  // namespace

bool can_reload(const LiveCell& cell) {
  return cell.started.has_value() || (cell.engine != nullptr && cell.engine->unloads());
}

Task<Result<void>> reload_cell(Session& session, size_t cell) {
  LiveCell& live = session.cells[cell];
  if (!live.started) {
    const auto cold = co_await live.engine->make_cold(live.cell.model);
    if (!cold) co_return fail(cold.error());
    co_return Result<void>();
  }
  BundledEngine& old = session.started[*live.started];
  const BundledSpec spec = old.spec;
  old.child.reset();  // Two models at once might not fit.
  auto engine = start_bundled_engine(spec);
  if (!engine) co_return fail(engine.error());
  const auto url = parse_url(engine->url);
  if (!url) co_return fail(url.error());
  const auto entry = find_engine("llamacpp");
  if (!entry) co_return fail(entry.error());
  live.engine = (*entry)->make(session.http, *url, Secret());
  old = std::move(*engine);
  const auto answer = co_await live.engine->probe(kProbeTimeout);
  if (!answer) co_return fail(answer.error());
  co_return Result<void>();
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
  if (looking) {
    auto places = usual_places();
    if (!places) return fail(places.error());
    urls = std::move(*places);
  }
  std::vector<TargetAnswer> answers;
  for (const Url& url : urls) {
    // A key is sent only to servers that the user named.
    const Secret use = looking ? Secret() : *key;
    TargetAnswer answer = session.wait_for(
        ask(session.http, url, use, spec.engine, looking ? kLookTimeout : kProbeTimeout));
    if (!looking || !answer.kind.empty()) answers.push_back(std::move(answer));
  }
  return answers;
}

Result<void> open_cells(Session& session, const RunSpec& spec, const OnNote& note) {
  if (!spec.gguf.empty() || !spec.shape.empty()) return start_bundled(session, spec, note);
  auto answers = probe_targets(session, spec);
  if (!answers) return fail(answers.error());
  if (answers->empty()) {
    if (!spec.engine.empty() || !spec.models.empty()) {
      return fail(Errc::kUnavailable, "no engine answers on the usual ports of this machine",
                  "start one, or name it with --target URL");
    }
    note("no engine answers on ports 11434, 8080, 1234 and 8000");
    return start_bundled(session, spec, note);
  }
  bool any = false;
  std::string why;
  for (const TargetAnswer& answer : *answers) {
    any = any || !answer.kind.empty();
    if (answer.kind.empty()) why = answer.error;
    if (auto added = add_models(session, answer, spec, note); !added) return added;
  }
  if (!any) {
    return fail(Errc::kUnavailable, fmt::format("no target can be reached: {}", why),
                "check that the server runs; 'assay targets probe' shows what answers");
  }
  return {};
}

}  // namespace assay
