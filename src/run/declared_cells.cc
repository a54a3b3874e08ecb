#include "run/declared_cells.h"

#include <fmt/format.h>

#include <algorithm>

#include "base/text.h"
#include "load/load.h"
#include "run/wait_for.h"

namespace assay {
namespace {

constexpr Nanos kProbeTimeout = std::chrono::seconds(1);
constexpr Nanos kListTimeout = std::chrono::seconds(5);

void describe(const ModelInfo& model, Cell& cell) {
  cell.quantization = model.quantization;
  cell.model_bytes = model.bytes;
  cell.context_length = model.context_length;
  cell.memory_bytes = model.memory_bytes;
  cell.vram_bytes = model.vram_bytes;
  if (!model.digest.empty()) cell.digest = model.digest;
}

/// The cell's model among those that its server lists; null when it does not list it.
const ModelInfo* listed_model(const std::vector<ModelInfo>& models, const Cell& cell) {
  for (const ModelInfo& model : models) {
    // Ollama's names have a tag, and `latest` goes without saying.
    if (model.name == cell.model || model.name == cell.model + ":latest") return &model;
  }
  // A llama-server has one model and answers to every name.
  return cell.kind == "llamacpp" && models.size() == 1 ? &models.front() : nullptr;
}

/// Whether what answers is of that kind; fills the cell and keeps the engine.
Task<Result<void>> look_as(HttpClient& http, LiveCell& live, std::string kind, Secret key) {
  const auto entry = find_engine(kind);
  if (!entry) co_return fail(entry.error());
  const auto url = parse_url(live.cell.url);
  if (!url) co_return fail(url.error());
  std::shared_ptr<Engine> engine = (*entry)->make(http, *url, key);
  const auto info = co_await engine->probe(kProbeTimeout);
  // Behind a gateway that passes on nothing but the dialect its own mark is missing.
  const bool trusted = !info && info.error().code == Errc::kNotFound;
  if (!info && !trusted) co_return fail(info.error());
  if (info) live.cell.version = info->version;
  if (info) live.cell.threads = info->threads;
  live.cell.kind = kind;
  live.engine = std::move(engine);
  co_return Result<void>();
}

Task<void> look(HttpClient& http, LiveCell& live, Secret key) {
  Cell& cell = live.cell;
  std::string kind = cell.kind;
  auto there = co_await look_as(http, live, kind, key);
  // A router may speak another dialect than the engine behind it.
  if (!there && !cell.routed_from.empty() && there.error().code == Errc::kProtocol) {
    kind = "openai";
    there = co_await look_as(http, live, kind, key);
  }
  if (!there) {
    cell.unavailable = fmt::format("unreachable ({})", printable(there.error().message, 200));
    co_return;
  }
  const auto models = co_await live.engine->models(kListTimeout);
  if (!models) co_return;
  const ModelInfo* model = listed_model(*models, cell);
  if (model != nullptr) describe(*model, cell);
  if (model == nullptr && cell.kind == "ollama" && cell.routed_from.empty()) {
    cell.unavailable = fmt::format("model {} is not there", printable(cell.model, 80));
  }
}

Task<bool> look_at_all(Session& session, Secret key) {
  size_t at = 0;
  const auto next = [&]() -> int64_t {
    while (at < session.cells.size() && !session.cells[at].cell.unavailable.empty()) ++at;
    return at < session.cells.size() ? static_cast<int64_t>(at++) : -1;
  };
  const auto issue = [&](int64_t index) {
    return look(session.http, session.cells[static_cast<size_t>(index)], key);
  };
  const auto side_by_side = static_cast<int64_t>(std::max<size_t>(1, session.cells.size()));
  co_await run_closed(session.io, side_by_side, next, issue);
  co_return true;
}

/// The same cell by its router.
LiveCell by_route(const DeclaredCell& declared) {
  LiveCell live;
  live.cell = declared.cell;
  live.cell.routed_from = declared.cell.id;
  live.cell.url = declared.route;
  live.cell.expect.clear();  // Those are of the engine itself.
  const size_t node = declared.cell.id.find(':');
  live.cell.id.insert(node, "+routed");
  return live;
}

bool takes_route(const DeclaredCell& declared) {
  const auto& patterns = declared.cell.patterns;
  return !declared.route.empty() && (patterns.empty() || std::find(patterns.begin(), patterns.end(),
                                                                   "routed") != patterns.end());
}

}  // namespace

Result<void> open_declared_cells(Session& session, const RunSpec& spec,
                                 const std::vector<DeclaredCell>& declared, bool routed) {
  auto key = read_api_key(spec);
  if (!key) return fail(key.error());
  for (const DeclaredCell& cell : declared) {
    LiveCell live;
    live.cell = cell.cell;
    session.cells.push_back(std::move(live));
    if (routed && takes_route(cell)) session.cells.push_back(by_route(cell));
  }
  session.wait_for(look_at_all(session, *key));
  for (LiveCell& live : session.cells) {
    const auto found = std::find_if(declared.begin(), declared.end(), [&](const DeclaredCell& d) {
      return d.cell.id == live.cell.id || d.cell.id == live.cell.routed_from;
    });
    // What the engine does not tell, its operator wrote down.
    if (live.cell.digest.empty()) live.cell.digest = found->digest;
    if (live.cell.version.empty()) live.cell.version = found->version;
    if (!spec.authorize_load.empty()) live.cell.max_rate.reset();
    if (!live.cell.unavailable.empty()) live.engine.reset();
  }
  for (LiveCell& live : session.cells) {
    for (const LiveCell& direct : session.cells) {
      if (direct.cell.id != live.cell.routed_from || direct.cell.unavailable.empty()) continue;
      live.cell.unavailable = "its own cell is not measured: " + direct.cell.unavailable;
    }
  }
  return {};
}

Result<void> reopen_declared_cells(Session& session, const RunSpec& spec,
                                   const std::vector<Cell>& cells) {
  auto key = read_api_key(spec);
  if (!key) return fail(key.error());
  for (const Cell& cell : cells) {
    LiveCell live;
    live.cell = cell;
    session.cells.push_back(std::move(live));
  }
  session.wait_for(look_at_all(session, *key));
  for (size_t i = 0; i < cells.size(); ++i) {
    if (cells[i].unavailable.empty() && session.cells[i].engine == nullptr) {
      return fail(Errc::kUnavailable,
                  fmt::format("{} does not answer any more: {}", cells[i].id,
                              session.cells[i].cell.unavailable),
                  "start it again, then resume");
    }
    session.cells[i].cell = cells[i];
  }
  return {};
}

}  // namespace assay
