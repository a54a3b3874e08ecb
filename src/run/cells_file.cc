#include "run/cells_file.h"

#include <fmt/format.h>
#include <yaml-cpp/yaml.h>

#include <algorithm>
#include <cmath>

#include "base/files.h"
#include "base/text.h"
#include "engines/engine.h"
#include "run/file_faults.h"
#include "stats/metrics.h"

namespace assay {
namespace {

constexpr int64_t kMaxFileBytes = 1 << 20;
constexpr size_t kMaxCells = 1000;
/// A call in 50 s: any slower and no model would stay warm.
constexpr double kLeastRate = 0.02;
constexpr double kMostRate = 1e6;
constexpr double kMostTolerance = 10;

const std::vector<std::string> kFileKeys{"cells", "windows", "max_rate"};
const std::vector<std::string> kCellKeys{"id",      "node",      "engine",  "model",     "endpoint",
                                         "route",   "available", "pending", "cold_kind", "digest",
                                         "version", "max_rate",  "windows", "patterns",  "expect"};
const std::vector<std::string> kPatterns{"cold", "warm", "parallel", "routed"};
const std::vector<std::string> kColdKinds{"unload", "process_warm"};

int64_t line_of(const YAML::Node& node) { return node.Mark().line + 1; }

/// What holds for every cell that does not say otherwise.
struct Defaults {
  std::optional<double> max_rate = kUsualMaxRate;
  std::vector<DayWindow> windows;
};

bool known(const std::vector<std::string>& names, const std::string& name) {
  return std::find(names.begin(), names.end(), name) != names.end();
}

/// Reads the members of one mapping; every read that fails is a fault with its line.
class Members {
 public:
  Members(const YAML::Node& node, const std::vector<std::string>& keys, FileFaults& faults)
      : node_(node), faults_(faults) {
    for (const auto& entry : node) {
      const auto key = entry.first.as<std::string>("");
      if (known(keys, key)) continue;
      const std::string near = did_you_mean(key, keys);
      faults.add(line_of(entry.first),
                 fmt::format("unknown key '{}'{}", printable(key, 60),
                             near.empty() ? "; keys are " + join(keys, ", ")
                                          : fmt::format(", did you mean {}?", near)));
    }
  }

  [[nodiscard]] YAML::Node at(const char* key) const { return node_[key]; }

  std::string text(const char* key) const {
    const YAML::Node node = node_[key];
    if (!node) return {};
    if (!node.IsScalar() || node.Scalar().empty()) {
      faults_.add(line_of(node), fmt::format("{} is no text", key));
      return {};
    }
    return node.Scalar();
  }

  std::string one_of(const char* key, const std::vector<std::string>& allowed) const {
    std::string value = text(key);
    if (value.empty() || known(allowed, value)) return value;
    faults_.add(line_of(node_[key]), fmt::format("{} is {}, not '{}'", key, join(allowed, " or "),
                                                 printable(value, 60)));
    return {};
  }

  std::vector<std::string> texts(const char* key) const {
    std::vector<std::string> list;
    const YAML::Node node = node_[key];
    if (!node) return list;
    if (node.IsScalar()) return {node.Scalar()};
    if (!node.IsSequence()) faults_.add(line_of(node), fmt::format("{} is no list", key));
    for (const auto& item : node) list.push_back(item.as<std::string>(""));
    return list;
  }

  void rate(std::optional<double>& into) const {
    const YAML::Node node = node_["max_rate"];
    if (!node) return;
    const double value = node.IsScalar() ? node.as<double>(-1) : -1;
    if (value >= kLeastRate && value <= kMostRate) {
      into = value;
    } else {
      faults_.add(line_of(node),
                  fmt::format("max_rate is no number of calls a second from {} up", kLeastRate));
    }
  }

  void windows(std::vector<DayWindow>& into) const {
    if (!node_["windows"]) return;
    into.clear();
    for (const std::string& text : texts("windows")) {
      const auto window = parse_window(text);
      if (window) {
        into.push_back(*window);
      } else {
        faults_.add(line_of(node_["windows"]), window.error().message);
      }
    }
  }

  void url(const char* key, std::string& into) const {
    const std::string value = text(key);
    if (value.empty()) return;
    const auto parsed = parse_url(value);
    if (parsed) {
      into = parsed->text();
    } else {
      faults_.add(line_of(node_[key]), fmt::format("{}: {}", key, parsed.error().message));
    }
  }

 private:
  const YAML::Node& node_;
  FileFaults& faults_;
};

/// `true`, `false`, `pending`, or in words why not; absent where the cell can be measured.
std::string why_unavailable(const Members& members) {
  const auto reason = [](const std::string& text, std::string_view yes, std::string_view no,
                         std::string_view plain) -> std::string {
    if (text.empty() || text == yes) return {};
    return text == no ? std::string(plain) : text;
  };
  std::string why = reason(members.text("available"), "true", "false", "unavailable");
  if (why.empty()) why = reason(members.text("pending"), "false", "true", "pending");
  return why;
}

void read_reference(const std::string& prompt, const YAML::Node& node, Cell& cell,
                    FileFaults& faults) {
  if (!node.IsMap()) return faults.add(line_of(node), "expect: a prompt has metrics and values");
  double tolerance = Reference().tolerance;
  if (const YAML::Node given = node["tolerance"]) {
    tolerance = given.as<double>(-1);
    if (!(tolerance > 0 && tolerance <= kMostTolerance)) {
      return faults.add(line_of(given), "tolerance is no share above 0, such as 0.3");
    }
  }
  for (const auto& entry : node) {
    auto metric = entry.first.as<std::string>("");
    if (metric == "tolerance") continue;
    if (metric == "total_duration_ms") metric = "e2e_ms";  // The ledger's name for it, rounded.
    const double value = entry.second.as<double>(-1);
    if (find_metric(metric) == nullptr) {
      faults.add(line_of(entry.first), fmt::format("there is no metric '{}'; 'assay help metrics' "
                                                   "lists them",
                                                   printable(metric, 60)));
    } else if (!std::isfinite(value) || value <= 0) {
      faults.add(line_of(entry.second), fmt::format("{} is no number above 0", metric));
    } else {
      cell.expect.push_back({prompt, metric, value, tolerance});
    }
  }
}

/// The id and its three parts, of which each may come from the other.
void read_name(const Members& members, int64_t line, std::string id, Cell& cell,
               FileFaults& faults) {
  if (id.empty()) id = members.text("id");
  CellName name{members.text("node"), members.text("engine"), members.text("model")};
  if (name.engine == "llama.cpp") name.engine = "llamacpp";
  if (!id.empty()) {
    const auto parsed = parse_cell_id(id);
    if (!parsed) return faults.add(line, parsed.error().message);
    if (name.node.empty()) name.node = parsed->node;
    if (name.engine.empty()) name.engine = parsed->engine;
    if (name.model.empty()) name.model = parsed->model;
    if (name.node != parsed->node || name.engine != parsed->engine) {
      faults.add(line, fmt::format("node and engine are not those of the id '{}'", printable(id)));
    }
  }
  for (const auto& [key, value] : {std::pair("node", &name.node), std::pair("engine", &name.engine),
                                   std::pair("model", &name.model)}) {
    if (value->empty()) return faults.add(line, fmt::format("the cell has no {}", key));
  }
  if (name.node.find(':') != std::string::npos) faults.add(line, "the node's name holds a ':'");
  if (auto kind = find_engine(name.engine); !kind) {
    faults.add(line, kind.error().message + ": " + kind.error().hint);
  }
  cell.id = id.empty() ? fmt::format("{}:{}:{}", name.node, name.engine, name.model) : id;
  cell.kind = name.engine;
  cell.model = name.model;
  if (printable(cell.id) != cell.id) faults.add(line, "the cell's id is no plain text");
}

DeclaredCell read_cell(const std::string& id, const YAML::Node& node, const Defaults& defaults,
                       FileFaults& faults) {
  const Members members(node, kCellKeys, faults);
  DeclaredCell declared;
  Cell& cell = declared.cell;
  read_name(members, line_of(node), id, cell, faults);
  members.url("endpoint", cell.url);
  members.url("route", declared.route);
  cell.unavailable = why_unavailable(members);
  if (cell.url.empty() && cell.unavailable.empty() && !members.at("endpoint")) {
    faults.add(line_of(node), "the cell has no endpoint; if that is meant, say available: pending");
  }
  declared.digest = members.text("digest");
  declared.version = members.text("version");
  cell.cold_kind = members.one_of("cold_kind", kColdKinds);
  cell.max_rate = defaults.max_rate;
  cell.windows = defaults.windows;
  members.rate(cell.max_rate);
  members.windows(cell.windows);
  cell.patterns = members.texts("patterns");
  for (const std::string& pattern : cell.patterns) {
    if (!known(kPatterns, pattern)) {
      faults.add(
          line_of(members.at("patterns")),
          fmt::format("patterns are {}, not '{}'", join(kPatterns, ", "), printable(pattern, 60)));
    }
  }
  if (const YAML::Node expect = members.at("expect"); expect && expect.IsMap()) {
    for (const auto& entry : expect) {
      read_reference(entry.first.as<std::string>(""), entry.second, cell, faults);
    }
  } else if (expect) {
    faults.add(line_of(expect), "expect is no mapping of prompts");
  }
  return declared;
}

/// `cells:` or the whole file, as a list of cells or a mapping of ids to cells.
void read_cells(const YAML::Node& list, const Defaults& defaults, FileFaults& faults,
                std::vector<DeclaredCell>& cells) {
  const auto add = [&](const std::string& id, const YAML::Node& node) {
    if (cells.size() >= kMaxCells) return;
    if (!node.IsMap()) return faults.add(line_of(node), "this is no cell");
    DeclaredCell cell = read_cell(id, node, defaults, faults);
    const bool twice = std::any_of(cells.begin(), cells.end(), [&](const DeclaredCell& other) {
      return !cell.cell.id.empty() && other.cell.id == cell.cell.id;
    });
    if (twice) {
      faults.add(line_of(node), fmt::format("the cell '{}' is there twice", cell.cell.id));
    }
    cells.push_back(std::move(cell));
  };
  if (list.IsSequence()) {
    for (const auto& item : list) add("", item);
  } else if (list.IsMap()) {
    for (const auto& entry : list) add(entry.first.as<std::string>(""), entry.second);
  }
  if (cells.empty()) faults.add(line_of(list), "the file declares no cell");
  if (cells.size() >= kMaxCells) {
    faults.add(1, fmt::format("the file declares {} cells or more", kMaxCells));
  }
}

}  // namespace

Result<CellName> parse_cell_id(std::string_view id) {
  const size_t first = id.find(':');
  const size_t second = first == std::string_view::npos ? first : id.find(':', first + 1);
  if (second == std::string_view::npos || first == 0 || second == first + 1 ||
      second + 1 == id.size()) {
    return fail(Errc::kInvalidArgument,
                fmt::format("'{}' is no cell id such as node:engine:model", printable(id, 80)));
  }
  return CellName{std::string(id.substr(0, first)),
                  std::string(id.substr(first + 1, second - first - 1)),
                  std::string(id.substr(second + 1))};
}

Result<std::vector<DeclaredCell>> load_cells(const std::filesystem::path& path) {
  const auto text = read_file(path, kMaxFileBytes);
  if (!text) return fail(text.error());
  FileFaults faults{path.string(), {}};
  std::vector<DeclaredCell> cells;
  try {
    const YAML::Node root = YAML::Load(*text);
    Defaults defaults;
    if (root.IsMap() && root["cells"]) {
      const Members members(root, kFileKeys, faults);
      members.rate(defaults.max_rate);
      members.windows(defaults.windows);
      read_cells(root["cells"], defaults, faults, cells);
    } else {
      read_cells(root, defaults, faults, cells);
    }
  } catch (const YAML::Exception& e) {
    faults.add(e.mark.line + 1, e.msg);
  }
  if (!faults.lines.empty()) {
    return fail(Errc::kInvalidArgument, join(faults.lines, "\n"),
                "docs/formats/cells.md shows what a file of cells looks like");
  }
  return cells;
}

Result<std::vector<DeclaredCell>> select_cells(const std::vector<DeclaredCell>& cells,
                                               const std::vector<std::string>& ids) {
  std::vector<std::string> wanted;
  for (const std::string& list : ids) {
    for (std::string& id : split(list, ',')) wanted.push_back(std::move(id));
  }
  if (wanted.empty()) return cells;
  std::vector<std::string> names;
  for (const DeclaredCell& cell : cells) names.push_back(cell.cell.id);
  for (const std::string& id : wanted) {
    if (known(names, id)) continue;
    const std::string near = did_you_mean(id, names);
    return fail(Errc::kInvalidArgument, fmt::format("there is no cell '{}'", printable(id, 80)),
                near.empty() ? fmt::format("cells are {}", printable(join(names, ", ")))
                             : fmt::format("did you mean {}?", near));
  }
  std::vector<DeclaredCell> selected;
  for (const DeclaredCell& cell : cells) {
    if (known(wanted, cell.cell.id)) selected.push_back(cell);
  }
  return selected;
}

}  // namespace assay
