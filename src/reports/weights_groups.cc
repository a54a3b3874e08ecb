#include "reports/weights_groups.h"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <nlohmann/json.hpp>

#include "base/text.h"

namespace assay {
namespace {

using Json = nlohmann::ordered_json;
using Value = std::optional<std::string>;

constexpr size_t kShownDigits = 8;

template <class T>
Value text_of(const std::optional<T>& value) {
  return value ? Value(fmt::format("{}", *value)) : std::nullopt;
}

/// What the calls of a cell ask for.
CallSettings asked_of(const RunMeta& meta, int64_t cell) {
  for (const Leg& leg : meta.legs) {
    if (leg.cell == cell && leg.prompt >= 0) return leg.settings;
  }
  return {};
}

Value either(Value first, Value second) { return first ? std::move(first) : std::move(second); }

/// The part of the model that a GPU holds, as layers where they are told, else as a share.
Value offload_of(const Cell& cell, const LaunchSettings& load) {
  if (load.gpu_hidden) return "0 layers";
  if (load.gpu_layers) return fmt::format("{} layers", *load.gpu_layers);
  if (load.gpu_offload) return fmt::format("{:g} %", 100 * *load.gpu_offload);
  if (!cell.vram_bytes || !cell.memory_bytes || *cell.memory_bytes <= 0) return std::nullopt;
  const double share =
      static_cast<double>(*cell.vram_bytes) / static_cast<double>(*cell.memory_bytes);
  return fmt::format("{:.0f} %", 100 * share);
}

struct Known {
  std::string_view name;
  Value (*of)(const Cell& cell, const CallSettings& asked);
  bool is_usual = true;  ///< Each model has one, so that it is missed where no engine tells it.
};

LaunchSettings loaded(const Cell& cell) { return cell.load_effective.value_or(LaunchSettings()); }

LaunchSettings load_in(const CallSettings& asked) { return asked.load.value_or(LaunchSettings()); }

/// What an engine tells of itself comes before what it was asked for.
constexpr Known kSettings[] = {
    {"engine",
     [](const Cell& c, const CallSettings&) {
       return Value(c.version.empty() ? c.kind : fmt::format("{} {}", c.kind, c.version));
     }},
    {"context",
     [](const Cell& c, const CallSettings& asked) {
       return either(either(text_of(loaded(c).context_length), text_of(asked.context_length)),
                     text_of(c.context_length));
     }},
    {"flash attention",
     [](const Cell& c, const CallSettings& asked) {
       return either(loaded(c).flash_attention, load_in(asked).flash_attention);
     }},
    {"cache type k", [](const Cell& c, const CallSettings&) { return loaded(c).cache_type_k; }},
    {"cache type v", [](const Cell& c, const CallSettings&) { return loaded(c).cache_type_v; }},
    {"slots",
     [](const Cell& c, const CallSettings&) {
       return either(text_of(c.slots), text_of(loaded(c).parallel));
     }},
    {"threads",
     [](const Cell& c, const CallSettings& asked) {
       return either(either(text_of(c.threads), text_of(loaded(c).threads)),
                     text_of(load_in(asked).threads));
     }},
    {"offload",
     [](const Cell& c, const CallSettings& asked) {
       return either(offload_of(c, loaded(c)), offload_of(Cell(), load_in(asked)));
     }},
    {"batch size",
     [](const Cell& c, const CallSettings& asked) {
       return either(text_of(loaded(c).batch_size), text_of(load_in(asked).batch_size));
     }},
    {"projector", [](const Cell& c, const CallSettings&) { return loaded(c).projector; }, false},
};

/// Whether two cells are the same model of the same server; combinations of a matrix are.
bool is_same_target(const Cell& a, const Cell& b) {
  const bool ours = a.managed && b.managed;
  return a.kind == b.kind && a.model == b.model && (ours || a.url == b.url);
}

GroupSetting setting_of(const RunMeta& meta, const std::vector<int64_t>& cells,
                        const Known& known) {
  GroupSetting setting{known.name, {}};
  for (const int64_t cell : cells) {
    setting.values.push_back(known.of(meta.cells[static_cast<size_t>(cell)], asked_of(meta, cell)));
  }
  return setting;
}

void add_settings(const RunMeta& meta, WeightsRows& group) {
  for (const Known& known : kSettings) {
    GroupSetting setting = setting_of(meta, group.cells, known);
    const auto& values = setting.values;
    if (std::ranges::none_of(values, &Value::has_value)) {
      if (known.is_usual) group.untold.push_back(known.name);
    } else if (std::ranges::any_of(values, [&](const Value& v) { return v != values.front(); })) {
      group.differs.push_back(std::move(setting));
    }
  }
}

std::string values_text(const GroupSetting& setting) {
  std::vector<std::string> texts;
  texts.reserve(setting.values.size());
  for (const Value& value : setting.values) texts.push_back(value.value_or("not told"));
  return fmt::format("{} {}", setting.name, join(texts, " / "));
}

}  // namespace

std::vector<WeightsRows> weights_rows(const RunMeta& meta, const std::vector<int64_t>& order) {
  std::vector<WeightsRows> groups;
  for (const int64_t cell : order) {
    const std::string& digest = meta.cells[static_cast<size_t>(cell)].weights;
    if (digest.empty()) continue;
    const auto known = std::ranges::find(groups, digest, &WeightsRows::digest);
    if (known == groups.end()) {
      groups.push_back({digest, {cell}, {}, {}});
    } else {
      known->cells.push_back(cell);
    }
  }
  std::erase_if(groups, [&](const WeightsRows& group) {
    const Cell& first = meta.cells[static_cast<size_t>(group.cells.front())];
    return std::ranges::all_of(group.cells, [&](int64_t cell) {
      return is_same_target(first, meta.cells[static_cast<size_t>(cell)]);
    });
  });
  for (WeightsRows& group : groups) add_settings(meta, group);
  return groups;
}

std::string why_text(const WeightsRows& group) {
  std::vector<std::string> texts;
  texts.reserve(group.differs.size());
  for (const GroupSetting& setting : group.differs) texts.push_back(values_text(setting));
  std::string text =
      fmt::format("same weights {}: {}", group.digest.substr(0, kShownDigits),
                  texts.empty() ? "no setting that is told differs" : join(texts, ", "));
  if (group.untold.empty()) return text;
  const std::vector<std::string> untold(group.untold.begin(), group.untold.end());
  return fmt::format("{}; not told: {}", text, join(untold, ", "));
}

Json weights_json(const RunMeta& meta) {
  std::vector<int64_t> order;
  for (size_t i = 0; i < meta.cells.size(); ++i) order.push_back(static_cast<int64_t>(i));
  Json list = Json::array();
  for (const WeightsRows& group : weights_rows(meta, order)) {
    Json cells = Json::array();
    for (const int64_t cell : group.cells) {
      cells.push_back(printable(meta.cells[static_cast<size_t>(cell)].id));
    }
    Json differs = Json::object();
    for (const GroupSetting& setting : group.differs) {
      Json values = Json::array();
      for (const Value& value : setting.values) {
        values.push_back(value ? Json(printable(*value)) : Json(nullptr));
      }
      differs[std::string(setting.name)] = std::move(values);
    }
    list.push_back({{"digest", printable(group.digest)},
                    {"cells", std::move(cells)},
                    {"differs", std::move(differs)},
                    {"not_told", group.untold},
                    {"why", printable(why_text(group))}});
  }
  return list;
}

}  // namespace assay
