#include "store/state.h"

#include <chrono>
#include <nlohmann/json.hpp>
#include <thread>

#include "base/files.h"
#include "base/text.h"
#include "store/append_file.h"

namespace assay {
namespace {

using Json = nlohmann::ordered_json;
namespace fs = std::filesystem;

constexpr int kLockTries = 50;
constexpr auto kLockPause = std::chrono::milliseconds(100);

fs::path state_path(const fs::path& data_dir) { return data_dir / "state.jsonl"; }

std::string line_of(const Baseline& b) {
  const Json json{{"type", "baseline"},
                  {"name", b.name},
                  {"run_id", b.run_id.empty() ? Json(nullptr) : Json(b.run_id)},
                  {"at", b.set_at_utc}};
  return json.dump(-1, ' ', false, Json::error_handler_t::replace) + "\n";
}

std::string line_of(const NoiseFloor& f) {
  const Json json{{"type", "noise_floor"},  {"host", f.host},   {"cell_id", f.cell_id},
                  {"metric", f.metric},     {"share", f.share}, {"pairs", f.pairs},
                  {"at", f.measured_at_utc}};
  return json.dump(-1, ' ', false, Json::error_handler_t::replace) + "\n";
}

void add_fact(const Json& json, State& state) {
  const auto type = json.at("type").get<std::string>();
  if (type == "baseline") {
    Baseline b{json.at("name"), "", json.value("at", "")};
    if (!json.at("run_id").is_null()) b.run_id = json.at("run_id");
    if (b.run_id.empty()) {
      state.baselines.erase(b.name);
    } else {
      state.baselines[b.name] = b;
    }
  } else if (type == "noise_floor") {
    const NoiseFloor f{json.at("host"),  json.at("cell_id"), json.at("metric"),
                       json.at("share"), json.at("pairs"),   json.value("at", "")};
    state.floors[{f.host, f.cell_id, f.metric}] = f;
  }
}

Result<void> append_lines(const fs::path& data_dir, const std::string& lines) {
  if (auto made = make_directories(data_dir); !made) return made;
  auto file = AppendFile::open(state_path(data_dir), AppendFile::Open::kEither);
  for (int tries = 1; !file && file.error().code == Errc::kConflict && tries < kLockTries;
       ++tries) {
    std::this_thread::sleep_for(kLockPause);
    file = AppendFile::open(state_path(data_dir), AppendFile::Open::kEither);
  }
  if (!file) return fail(file.error());
  if (auto written = file->append(lines); !written) return written;
  return file->sync();
}

template <class Fact>
Result<void> append_facts(const fs::path& data_dir, const std::vector<Fact>& facts) {
  std::string lines;
  for (const Fact& fact : facts) lines += line_of(fact);
  return lines.empty() ? Result<void>() : append_lines(data_dir, lines);
}

}  // namespace

const NoiseFloor* State::floor(const std::string& host, const std::string& cell_id,
                               const std::string& metric) const {
  const auto found = floors.find({host, cell_id, metric});
  return found == floors.end() ? nullptr : &found->second;
}

Result<State> read_state(const fs::path& data_dir) {
  State state;
  const auto text = read_file(state_path(data_dir));
  if (!text && text.error().code == Errc::kNotFound) return state;
  if (!text) return fail(text.error());
  const size_t whole = text->rfind('\n');
  if (whole == std::string::npos) return state;
  for (const std::string& line : split(std::string_view(*text).substr(0, whole), '\n')) {
    try {
      add_fact(Json::parse(line), state);
    } catch (const Json::exception&) {
      ++state.damaged_lines;
    }
  }
  return state;
}

Result<void> add_to_state(const fs::path& data_dir, const std::vector<Baseline>& baselines) {
  return append_facts(data_dir, baselines);
}

Result<void> add_to_state(const fs::path& data_dir, const std::vector<NoiseFloor>& floors) {
  return append_facts(data_dir, floors);
}

}  // namespace assay
