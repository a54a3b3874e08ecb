#include "store/state.h"

#include <chrono>
#include <nlohmann/json.hpp>
#include <thread>

#include "base/files.h"
#include "base/text.h"
#include "model/members_json.h"
#include "store/append_file.h"

namespace assay {
namespace {

using Json = nlohmann::ordered_json;
namespace fs = std::filesystem;

constexpr int kLockTries = 50;
constexpr auto kLockPause = std::chrono::milliseconds(100);

fs::path state_path(const fs::path& data_dir) { return data_dir / "state.jsonl"; }

template <class F>
std::string line_of(const F& fact) {
  Json json{{"type", F::kType}};
  json.update(members_json<Json>(fact));
  return json.dump(-1, ' ', false, Json::error_handler_t::replace) + "\n";
}

/// False when the fact does not say what it is about.
template <class F>
bool put(const Json& json, FactTable<F>& table) {
  F fact;
  read_members(json, fact);
  const auto key = fact.key();
  if (key == F{}.key()) return false;
  if (fact.ends()) {
    table.erase(key);
  } else {
    table.insert_or_assign(key, std::move(fact));
  }
  return true;
}

bool add_fact(const Json& json, State& state) {
  const auto type = json.at("type").get<std::string>();
  bool whole = true;
  const auto put_if = [&]<class Key, class F>(std::map<Key, F, std::less<>>& table) {
    if (F::kType == type) whole = put<F>(json, table);
  };
  std::apply([&](auto&... tables) { (put_if(tables), ...); }, state.tables);
  return whole;
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

}  // namespace

Result<State> read_state(const fs::path& data_dir) {
  State state;
  const auto text = read_file(state_path(data_dir));
  if (!text && text.error().code == Errc::kNotFound) return state;
  if (!text) return fail(text.error());
  const size_t whole = text->rfind('\n');
  if (whole == std::string::npos) return state;
  for (const std::string& line : split(std::string_view(*text).substr(0, whole), '\n')) {
    try {
      if (!add_fact(Json::parse(line), state)) ++state.damaged_lines;
    } catch (const Json::exception&) {
      ++state.damaged_lines;
    }
  }
  return state;
}

Result<void> add_to_state(const fs::path& data_dir, const std::vector<Fact>& facts) {
  std::string lines;
  for (const Fact& fact : facts) {
    lines += std::visit([](const auto& known) { return line_of(known); }, fact);
  }
  return lines.empty() ? Result<void>() : append_lines(data_dir, lines);
}

}  // namespace assay
