#include "archive/gate.h"

#include <fmt/format.h>

#include <algorithm>
#include <fstream>
#include <nlohmann/json.hpp>

namespace assay {
namespace {

using Json = nlohmann::json;
namespace fs = std::filesystem;

class Gate {
 public:
  Gate(const fs::path& folder, const Privacy& privacy) : folder_(folder), privacy_(privacy) {}

  Result<void> look_at(const fs::path& path) {
    std::ifstream in(path, std::ios::binary);
    if (!in) return fail(Errc::kIo, fmt::format("{} cannot be read", path.string()));
    file_ = path.lexically_relative(folder_).string();
    add(0, find_private(file_, privacy_));
    const bool lines_are_json = path.extension() == ".jsonl";
    int64_t number = 0;
    for (std::string line; std::getline(in, line);) {
      ++number;
      if (lines_are_json) {
        look_at_json(number, line);
      } else {
        add(number, find_private(line, privacy_));
      }
    }
    if (in.bad()) return fail(Errc::kIo, fmt::format("{} cannot be read", path.string()));
    ++result_.files;
    return {};
  }

  GateResult take() { return std::move(result_); }

 private:
  /// What stands in a document is what its strings say once they are decoded.
  void look_at_json(int64_t number, const std::string& line) {
    const bool plain = line.find('\\') == std::string::npos;
    if (plain && line.find("\"prompts\"") == std::string::npos) {
      add(number, find_private(line, privacy_));
      return;
    }
    const Json json = Json::parse(line, nullptr, false);
    if (json.is_discarded()) {
      add(number, find_private(line, privacy_));
      return;
    }
    walk(number, json, TextKind::kAny);
  }

  void walk(int64_t number, const Json& json, TextKind kind) {
    if (json.is_string())
      add(number, find_private(json.get_ref<const std::string&>(), privacy_, kind));
    if (json.is_array()) {
      for (const Json& child : json) walk(number, child, kind);
    }
    if (!json.is_object()) return;
    for (const auto& [name, child] : json.items()) {
      add(number, find_private(name, privacy_));
      walk(number, child, name == "prompts" ? TextKind::kPrompt : kind);
    }
  }

  void add(int64_t line, std::vector<PrivateText> found) {
    for (PrivateText& one : found) {
      if (result_.total++ < kMaxFindings) {
        result_.findings.push_back({file_, line, std::string(one.kind), std::move(one.text)});
      }
    }
  }

  fs::path folder_;
  const Privacy& privacy_;
  std::string file_;
  GateResult result_;
};

}  // namespace

void GateResult::add(GateResult other) {
  files += other.files;
  total += other.total;
  for (GateFinding& found : other.findings) {
    if (static_cast<int64_t>(findings.size()) < kMaxFindings) findings.push_back(std::move(found));
  }
}

Result<GateResult> look_for_private(const fs::path& folder, const Privacy& privacy) {
  std::vector<fs::path> paths;
  std::error_code error;
  fs::recursive_directory_iterator entries(folder, error);
  for (; !error && entries != fs::recursive_directory_iterator(); entries.increment(error)) {
    if (entries->path().filename() == ".git") {
      entries.disable_recursion_pending();
    } else if (!entries->is_directory()) {
      paths.push_back(entries->path());
    }
  }
  if (error) {
    return fail(Errc::kIo,
                fmt::format("{} cannot be listed: {}", folder.string(), error.message()));
  }
  std::sort(paths.begin(), paths.end());
  Gate gate(folder, privacy);
  for (const fs::path& path : paths) {
    if (auto seen = gate.look_at(path); !seen) return fail(seen.error());
  }
  return gate.take();
}

}  // namespace assay
