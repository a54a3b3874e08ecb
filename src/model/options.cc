#include "model/options.h"

#include <fmt/format.h>

#include <algorithm>
#include <charconv>
#include <nlohmann/json.hpp>
#include <set>
#include <string>

#include "base/text.h"
#include "model/cooldown.h"
#include "model/heat.h"
#include "model/objectives.h"
#include "model/sample_node.h"

namespace assay {
namespace {

template <class Number>
Result<Number> parse_number(std::string_view text, std::string_view what) {
  Number value{};
  const std::string_view body = trim(text);
  const auto [end, error] = std::from_chars(body.data(), body.data() + body.size(), value);
  if (error != std::errc() || end != body.data() + body.size() || body.empty()) {
    return fail(Errc::kInvalidArgument, fmt::format("'{}' is no {}", printable(text, 60), what));
  }
  return value;
}

Result<void> assign(std::string& out, const std::string& text) {
  out = text;
  return {};
}
Result<void> assign(int64_t& out, const std::string& text) {
  const auto value = parse_number<int64_t>(text, "whole number");
  if (!value) return fail(value.error());
  out = *value;
  return {};
}
Result<void> assign(double& out, const std::string& text) {
  const auto value = parse_number<double>(text, "number");
  if (!value) return fail(value.error());
  out = *value;
  return {};
}
Result<void> assign(Nanos& out, const std::string& text) {
  const auto value = parse_duration(text);
  if (!value) return fail(value.error());
  out = *value;
  return {};
}
Result<void> assign(bool& out, const std::string& text) {
  const std::string lower = to_lower(text);
  out = lower == "true" || lower == "1" || lower == "yes" || lower == "on";
  if (out || lower == "false" || lower == "0" || lower == "no" || lower == "off") return {};
  return fail(Errc::kInvalidArgument, fmt::format("'{}' is neither true nor false", text));
}
template <class T>
Result<void> assign(std::optional<T>& out, const std::string& text) {
  T value{};
  if (auto done = assign(value, text); !done) return done;
  out = value;
  return {};
}

std::string show(const std::string& value) { return value; }
std::string show(int64_t value) { return fmt::format("{}", value); }
std::string show(double value) { return fmt::format("{}", value); }
std::string show(Nanos value) { return duration_text(value); }
std::string show(bool value) { return value ? "true" : "false"; }

template <class T>
void bind_value(BoundOption& option, T& member) {
  option.set = [&member](const std::vector<std::string>& values) -> Result<void> {
    if (values.size() != 1) return fail(Errc::kInvalidArgument, "it takes one value");
    return assign(member, values[0]);
  };
  option.get = [&member] { return std::vector<std::string>{show(member)}; };
}

void bind_member(BoundOption& option, bool& member) {
  option.kind = BoundOption::Kind::kSwitch;
  bind_value(option, member);
}
template <class T>
void bind_member(BoundOption& option, T& member) {
  bind_value(option, member);
}
template <class T>
void bind_member(BoundOption& option, std::optional<T>& member) {
  option.set = [&member](const std::vector<std::string>& values) -> Result<void> {
    if (values.size() != 1) return fail(Errc::kInvalidArgument, "it takes one value");
    return assign(member, values[0]);
  };
  option.get = [&member] {
    return member ? std::vector<std::string>{show(*member)} : std::vector<std::string>{};
  };
}
void bind_member(BoundOption& option, std::vector<std::string>& member) {
  option.kind = BoundOption::Kind::kList;
  option.set = [&member](const std::vector<std::string>& values) -> Result<void> {
    member = values;
    return {};
  };
  option.get = [&member] { return member; };
}
void bind_member(BoundOption& option, std::vector<int64_t>& member) {
  option.kind = BoundOption::Kind::kList;
  option.set = [&member](const std::vector<std::string>& values) -> Result<void> {
    std::vector<int64_t> numbers;
    for (const std::string& value : values) {
      for (const std::string& part : split(value, ',')) {
        if (auto done = assign(numbers.emplace_back(), part); !done) return done;
      }
    }
    member = std::move(numbers);
    return {};
  };
  option.get = [&member] {
    std::vector<std::string> texts;
    for (const int64_t value : member) texts.push_back(show(value));
    return texts;
  };
}

/// Several values, parted by commas or given as a list, go to RunSpec::lists; the member has the
/// last of them.
void allow_list(BoundOption& option, RunSpec& spec) {
  const auto set_one = std::move(option.set);
  const auto get_one = std::move(option.get);
  const std::string name(option.info.name);
  option.set = [set_one, name, &spec](const std::vector<std::string>& values) -> Result<void> {
    std::vector<std::string> all;
    for (const std::string& value : values) {
      for (const std::string& part : split(value, ',')) {
        std::string one(trim(part));
        if (std::find(all.begin(), all.end(), one) != all.end()) {
          return fail(Errc::kInvalidArgument,
                      fmt::format("'{}' is given twice", printable(one, 60)));
        }
        if (auto set = set_one({one}); !set) return set;
        all.push_back(std::move(one));
      }
    }
    if (all.empty()) return set_one(all);
    spec.lists.erase(name);
    if (all.size() > 1) spec.lists[name] = std::move(all);
    return {};
  };
  option.get = [get_one, name, &spec]() -> std::vector<std::string> {
    const auto list = spec.lists.find(name);
    return list == spec.lists.end() ? get_one() : std::vector{join(list->second, ",")};
  };
}

/// A share is no span: whoever writes `0-1` learns what is meant.
void tell_range(BoundOption& option, std::string_view range) {
  option.set = [set = std::move(option.set), range](const std::vector<std::string>& values) {
    auto done = set(values);
    if (done) return done;
    Error told = done.error();
    told.message += fmt::format(": it is {}", range);
    return Result<void>(fail(std::move(told)));
  };
}

/// Letters, digits and hyphens, at most 60: what every server takes as a header's name.
bool is_header_name(std::string_view text) {
  constexpr size_t kMost = 60;
  return text.size() <= kMost && std::all_of(text.begin(), text.end(), [](char c) {
           return (c >= '0' && c <= '9') || (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') ||
                  c == '-';
         });
}

}  // namespace

std::vector<BoundOption> bind_options(RunSpec& spec) {
  std::vector<BoundOption> options;
  visit_options(spec, [&](const OptionInfo& info, auto& member) {
    BoundOption option;
    option.info = info;
    bind_member(option, member);
    if (info.name == "gpu-offload") tell_range(option, "a number from 0 to 1");
    if (info.lists) allow_list(option, spec);
    options.push_back(std::move(option));
  });
  return options;
}

std::vector<int64_t> levels_of(const RunSpec& spec) {
  const auto list = spec.lists.find("max-concurrency");
  if (list == spec.lists.end()) return {spec.max_concurrency};
  std::vector<int64_t> levels;
  for (const std::string& text : list->second) {
    // Each was a number when it was set.
    if (const auto level = parse_number<int64_t>(text, "number")) levels.push_back(*level);
  }
  std::sort(levels.begin(), levels.end());
  return levels;
}

LaunchSettings load_settings_of(const RunSpec& spec) {
  LaunchSettings load;
  if (spec.threads != 0) load.threads = spec.threads;
  load.context_length = spec.context_length;
  load.parallel = spec.parallel;
  load.gpu_layers = spec.gpu_layers;
  load.gpu_offload = spec.gpu_offload;
  load.batch_size = spec.batch_size;
  load.ubatch_size = spec.ubatch_size;
  load.flash_attention = spec.flash_attention;
  load.cache_type_k = spec.cache_type_k;
  load.cache_type_v = spec.cache_type_v;
  load.mmap = spec.mmap;
  load.mlock = spec.mlock;
  load.kv_offload = spec.kv_offload;
  return load;
}

int64_t usual_repetitions(const RunSpec& spec) {
  constexpr int64_t kUsual = 10;
  if (spec.repetitions) return *spec.repetitions;
  const std::vector<int64_t> levels = levels_of(spec);
  const int64_t calls = levels.size() > 1 ? std::max(kUsual, levels.back()) : kUsual;
  if (spec.goodput.empty() || !is_attainment(spec.attainment)) return calls;
  return std::max(calls, calls_to_show(spec.attainment));
}

namespace {

using Faults = std::vector<std::string>;

bool is_think(const std::string& text) {
  for (const std::string_view word : {"off", "on", "low", "medium", "high"}) {
    if (text == word) return true;
  }
  const auto tokens = parse_number<int64_t>(text, "number");
  return tokens && *tokens >= 1 && *tokens <= 1'000'000;
}

/// What several values of an option, objectives and levels exclude.
void check_lists(const RunSpec& s, Faults& faults) {
  const auto need = [&](bool fine, std::string fault) {
    if (!fine) faults.push_back(std::move(fault));
  };
  for (const auto& [name, values] : s.lists) {
    const std::string given = fmt::format("--{} {}", name, printable(join(values, ","), 60));
    need(s.ab.empty(), fmt::format("--ab has variants of its own: give {} one value, or each "
                                   "variant its own",
                                   given));
    need(s.cells_yaml.empty(),
         fmt::format("--cells-yaml takes one value of each option: {} has several", given));
  }
  need(!s.think || is_think(*s.think),
       fmt::format("--think is off, on, low, medium, high or a number of tokens, not '{}'",
                   printable(s.think.value_or(""), 40)));
  need(is_attainment(s.attainment), "--attainment is a share between 0.5 and 0.999");
  if (s.goodput.empty()) return;
  if (const auto objectives = parse_objectives(s.goodput); !objectives) {
    faults.push_back("--goodput: " + objectives.error().message);
  }
  need(!s.request_rate,
       "--goodput is judged at levels of --max-concurrency: it excludes --request-rate");
  need(s.ab.empty(), "--goodput and --ab exclude each other");
}

/// Cooling, limits of heat and power, and what watches over calls by the machine's samples.
void check_heat(const RunSpec& s, std::vector<std::string>& faults) {
  const auto need = [&](bool fine, std::string fault) {
    if (!fine) faults.push_back(std::move(fault));
  };
  const auto parses = [&](std::string_view option, const auto& result) {
    if (!result) faults.push_back(fmt::format("--{}: {}", option, result.error().message));
  };
  const auto cooldown = parse_cooldown(s.cooldown);
  parses("cooldown", cooldown);
  parses("heat-bands", parse_heat_bands(s.heat_bands));
  if (!s.max_temp.empty()) parses("max-temp", parse_celsius(s.max_temp));
  if (!s.max_power.empty()) parses("max-power", parse_watts(s.max_power));
  need(s.busy_timeout.count() >= 0, "--busy-timeout must not be negative");
  const bool by_heat = cooldown && cooldown->by_temperature();
  need(s.sample_rate > 0 ||
           (!by_heat && s.max_temp.empty() && s.max_power.empty() && s.busy_timeout.count() == 0),
       "--cooldown by temperature, --max-temp, --max-power and --busy-timeout look at samples: "
       "there are none at --sample-rate 0");
  need(!s.request_rate || !cooldown || !cooldown->within_legs(),
       "--cooldown between calls and --request-rate exclude each other: one pauses, the other "
       "sends in time");
}

/// A leg that goes on for a time.
void check_sustain(const RunSpec& s, std::vector<std::string>& faults) {
  if (s.sustain.count() == 0) return;
  const auto need = [&](bool fine, std::string fault) {
    if (!fine) faults.push_back(std::move(fault));
  };
  need(s.sustain >= std::chrono::minutes(2) && s.sustain <= std::chrono::hours(24),
       "--sustain must be between 2m and 24h: it compares the last minute with the first");
  need(s.suite.empty() && s.cells_yaml.empty(),
       "--sustain repeats one prompt: give --prompt, or --input-len and --output-len, in place of "
       "--suite or --cells-yaml");
  need(!s.repetitions && !s.until_ci,
       "--sustain excludes --repetitions and --until-ci: it says how "
       "long a leg goes on");
  need(!s.request_rate && s.ab.empty() && s.restarts == 1,
       "--sustain is a closed loop without a break: it excludes --request-rate, --ab and "
       "--restarts");
  need(levels_of(s).size() == 1, "--sustain takes one level of --max-concurrency");
  const auto cooldown = parse_cooldown(s.cooldown);
  need(!cooldown || !cooldown->within_legs(),
       "--sustain shows what heat does, and --cooldown between calls keeps it away: give one of "
       "them");
}

}  // namespace

std::vector<std::string> check_spec(const RunSpec& s) {
  std::vector<std::string> faults = check_load_settings(load_settings_of(s));
  check_heat(s, faults);
  check_sustain(s, faults);
  const auto need = [&](bool fine, std::string fault) {
    if (!fine) faults.push_back(std::move(fault));
  };
  const auto all_positive = [&](const std::vector<int64_t>& values, std::string_view name,
                                int64_t least) {
    constexpr int64_t kMost = 10'000'000;
    for (const int64_t v : values) {
      need(v >= least && v <= kMost,
           fmt::format("--{} {} is not between {} and {}", name, v, least, kMost));
    }
  };
  need(!s.repetitions || (*s.repetitions >= 1 && *s.repetitions <= 1'000'000),
       "--repetitions must be between 1 and 1,000,000");
  need(!s.min_context || *s.min_context >= 1, "--min-context must be at least 1");
  need(!s.until_ci || (*s.until_ci > 0 && *s.until_ci <= 100),
       "--until-ci must be above 0 and at most 100");
  need(!s.until_ci || *s.until_ci <= 0 || *s.until_ci > 100 || s.repetitions.value_or(0) > 20,
       "--until-ci stops before the last repetition, at 20 or more: it needs --repetitions above "
       "20");
  need(!s.until_ci || s.restarts == 1,
       "--until-ci and --restarts exclude each other: one ends a leg, the other repeats it");
  need(s.cold >= 0 && s.cold <= 1000, "--cold must be between 0 and 1000");
  need(s.cold == 0 || s.ab.empty(), "--ab and --cold exclude each other: pairs would break");
  need(s.warmup >= 0 && s.warmup <= 1'000'000, "--warmup must be between 0 and 1,000,000");
  for (const int64_t level : levels_of(s)) {
    need(level >= 1 && level <= 100'000, "--max-concurrency must be between 1 and 100,000");
  }
  need(!s.request_rate || (*s.request_rate > 0 && *s.request_rate <= 10'000),
       "--request-rate must be above 0 and at most 10,000 calls a second");
  need(s.arrivals == "constant" || s.arrivals == "poisson",
       fmt::format("--arrivals is constant or poisson, not '{}'", printable(s.arrivals, 40)));
  const int64_t most_at_once = levels_of(s).back();
  need(!s.request_rate || most_at_once == 1,
       "--request-rate is an open loop and --max-concurrency a closed one: give one of them");
  need(s.ab.empty() || (most_at_once == 1 && !s.request_rate),
       "--ab compares one call at a time: it excludes --max-concurrency and --request-rate");
  need(s.ab.empty() || !s.until_ci, "--ab and --until-ci exclude each other: pairs would break");
  need(s.prompt.empty() || s.suite.empty(), "--prompt and --suite exclude each other");
  const bool synthetic = !s.input_len.empty() || !s.output_len.empty() || !s.depth.empty();
  need(!synthetic || (s.prompt.empty() && s.suite.empty()),
       "--input-len, --output-len and --depth exclude --prompt and --suite");
  need(s.gguf.empty() || s.shape.empty(), "--gguf and --shape exclude each other");
  need((s.gguf.empty() && s.shape.empty()) || s.targets.empty(),
       "--gguf and --shape start an engine of ours and exclude --target");
  all_positive(s.input_len, "input-len", 1);
  all_positive(s.output_len, "output-len", 1);
  all_positive(s.depth, "depth", 1);
  need(!s.max_tokens || *s.max_tokens >= 1, "--max-tokens must be at least 1");
  need(!s.temperature || *s.temperature >= 0, "--temperature must be at least 0");
  need(!s.top_p || (*s.top_p > 0 && *s.top_p <= 1), "--top-p must be above 0 and at most 1");
  need(!s.top_k || *s.top_k >= 0, "--top-k must be at least 0");
  need(s.load_timeout.count() > 0 && s.load_timeout <= std::chrono::hours(1),
       "--load-timeout must be above 0 and at most 1h");
  need(s.prepare == "none" || s.prepare == "stop-managed" || s.prepare == "unload-others",
       fmt::format("--prepare is none, stop-managed or unload-others, not '{}'",
                   printable(s.prepare, 40)));
  need(s.ab.empty() || s.prepare == "none",
       "--ab interleaves its cells: --prepare would stop one for the other at each call");
  need(s.sample_rate == 0 || (s.sample_rate >= 0.1 && s.sample_rate <= 10),
       "--sample-rate must be between 0.1 and 10 samples a second, or 0 for none");
  need(s.idle.count() >= 0 && s.idle <= std::chrono::minutes(10),
       "--idle must be at most 10 minutes");
  need(s.sample_nodes.empty() || s.sample_rate > 0,
       "--sample-node samples nothing at --sample-rate 0");
  std::set<std::string> named;
  for (const std::string& node : s.sample_nodes) {
    const auto parsed = parse_sample_node(node);
    if (!parsed) {
      faults.push_back(parsed.error().message);
      continue;
    }
    need(named.insert(parsed->node).second,
         fmt::format("--sample-node names {} twice", printable(parsed->node, 80)));
  }
  need(s.restarts >= 1 && s.restarts <= 100, "--restarts must be between 1 and 100");
  need(s.retries >= 0 && s.retries <= 100, "--retries must be between 0 and 100");
  need(!s.max_failed || *s.max_failed >= 0, "--max-failed must be at least 0");
  need(s.budget.count() > 0, "--budget must be above 0");
  need(s.color == "auto" || s.color == "always" || s.color == "never",
       fmt::format("--color is auto, always or never, not '{}'", printable(s.color, 40)));
  int64_t sample = 0;
  if (s.save_responses.rfind("sample:", 0) == 0) {
    const auto n = parse_number<int64_t>(s.save_responses.substr(7), "number");
    sample = n ? *n : -1;
  }
  need(s.save_responses == "all" || s.save_responses == "none" || sample > 0,
       fmt::format("--save-responses is all, none or sample:N, not '{}'",
                   printable(s.save_responses, 40)));
  for (const std::string& label : s.labels) {
    need(label.find('=') != std::string::npos && label.front() != '=',
         fmt::format("--label '{}' is not KEY=VALUE", printable(label, 40)));
  }
  const auto only_with = [&](bool asked, std::string_view option, bool there,
                             std::string_view needed) {
    need(!asked || there, fmt::format("--{} needs --{}", option, needed));
  };
  need(s.rank_by.empty() || s.rank_by == "speed" || s.rank_by == "ttft" || s.rank_by == "memory" ||
           s.rank_by == "efficiency",
       fmt::format("--rank-by is speed, ttft, memory or efficiency, not '{}'",
                   printable(s.rank_by, 40)));
  need(!s.all_models || s.ab.empty(), "--all-models and --ab exclude each other");
  need(!s.all_models || (s.gguf.empty() && s.shape.empty() && s.cells_yaml.empty()),
       "--all-models is for servers: it excludes --gguf, --shape and --cells-yaml");
  const bool harness = !s.cells_yaml.empty();
  only_with(!s.prompts_yaml.empty(), "prompts-yaml", harness, "cells-yaml");
  only_with(!s.cells.empty(), "cells", harness, "cells-yaml");
  only_with(s.probe, "probe", harness, "cells-yaml");
  only_with(s.smoke, "smoke", harness, "cells-yaml");
  only_with(s.full, "full", harness, "cells-yaml");
  only_with(s.routed, "routed", harness, "cells-yaml");
  only_with(s.for_publication, "for-publication", harness, "cells-yaml");
  only_with(s.routed, "routed", !s.tag_prefix.empty(), "tag-prefix");
  need(int{s.probe} + int{s.smoke} + int{s.full} <= 1,
       "--probe, --smoke and --full exclude each other");
  need(!harness || (s.targets.empty() && s.models.empty() && s.engine.empty() && s.gguf.empty() &&
                    s.shape.empty()),
       "--cells-yaml says what is measured: it excludes --target, --model, --engine, --gguf and "
       "--shape");
  need(s.prompts_yaml.empty() || (s.suite.empty() && s.prompt.empty() && !synthetic),
       "--prompts-yaml excludes other texts");
  need(!harness || (!s.request_rate && s.ab.empty()),
       "--cells-yaml excludes --request-rate and --ab");
  LaunchSettings load = load_settings_of(s);
  load.threads.reset();
  load.context_length.reset();
  need(!harness || load == LaunchSettings(),
       "--cells-yaml measures servers that Assay did not start: how they load a model is theirs");
  need(!harness || s.restarts == 1, "--restarts is not for the cells of a file");
  need(!s.for_publication || !s.smoke, "--for-publication and --smoke exclude each other");
  need(is_header_name(s.tag_prefix),
       fmt::format("--tag-prefix '{}' cannot begin a header's name", printable(s.tag_prefix, 40)));
  check_lists(s, faults);
  const bool fixed_count =
      s.sustain.count() == 0 && (!s.prompt.empty() || synthetic || s.repetitions.has_value());
  const int64_t calls = usual_repetitions(s);
  const bool exempt = (!s.suite.empty() && levels_of(s).size() == 1) || harness;
  need(
      !fixed_count || calls < 1 || most_at_once <= calls || exempt,
      fmt::format("--max-concurrency {} is more than the {} calls there are", most_at_once, calls));
  return faults;
}

std::string changed_options_json(const RunSpec& spec) {
  RunSpec copy = spec;
  RunSpec defaults;
  const auto mine = bind_options(copy);
  const auto usual = bind_options(defaults);
  nlohmann::ordered_json json = nlohmann::ordered_json::object();
  for (size_t i = 0; i < mine.size(); ++i) {
    const auto value = mine[i].get();
    if (value == usual[i].get()) continue;
    const std::string name(mine[i].info.name);
    if (name == "notify") continue;
    if (mine[i].kind == BoundOption::Kind::kList) {
      json[name] = value;
    } else {
      json[name] = value.empty() ? "" : value[0];
    }
  }
  return json.dump(-1, ' ', false, nlohmann::ordered_json::error_handler_t::replace);
}

}  // namespace assay
