#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <cmath>
#include <map>
#include <nlohmann/json.hpp>
#include <set>

#include "base/text.h"
#include "importers/fields.h"
#include "importers/run_builder.h"

namespace assay {
namespace {

using Json = nlohmann::ordered_json;

/// Members that say what was tested or what came out; the others are the test's configuration.
constexpr std::array<std::string_view, 21> kNoConfiguration{
    "build_commit",   "build_number", "cpu_info",   "gpu_info",   "backends",   "n_prompt",
    "n_gen",          "n_depth",      "test_time",  "avg_ns",     "stddev_ns",  "avg_ts",
    "stddev_ts",      "samples_ns",   "samples_ts", "model_size", "model_type", "model_n_params",
    "model_filename", "id",           "test"};

constexpr std::array<std::string_view, 12> kNumbersOfCsv{
    "build_number", "model_size", "n_threads", "n_gpu_layers", "n_prompt",  "n_gen",
    "n_depth",      "avg_ns",     "stddev_ns", "avg_ts",       "stddev_ts", "n_batch"};

template <class List>
bool holds(const List& list, std::string_view name) {
  return std::find(list.begin(), list.end(), name) != list.end();
}

/// The parts of a CSV line; a quoted one may hold commas, and a doubled quote is one.
std::vector<std::string> csv_parts(std::string_view line) {
  std::vector<std::string> parts(1);
  bool quoted = false;
  for (size_t i = 0; i < line.size(); ++i) {
    if (quoted && line[i] == '"' && i + 1 < line.size() && line[i + 1] == '"') {
      parts.back() += line[++i];
    } else if (line[i] == '"') {
      quoted = !quoted;
    } else if (line[i] == ',' && !quoted) {
      parts.emplace_back();
    } else {
      parts.back() += line[i];
    }
  }
  return parts;
}

bool is_csv_header(std::string_view line) {
  return line.starts_with("build_commit,") && line.find(",n_prompt,") != std::string_view::npos;
}

Json csv_value(const std::string& name, const std::string& text) {
  if (!holds(kNumbersOfCsv, name)) return text;
  Json number = Json::parse(text, nullptr, false);
  return number.is_number() ? number : Json(text);
}

struct Test {
  Json json;
  std::string place;
};

/// The tests of a CSV table as the objects that JSON would hold, without samples.
std::vector<Test> csv_tests(std::string_view text, Faults& faults) {
  std::vector<Test> tests;
  std::vector<std::string> names;
  size_t number = 0;
  for (size_t at = 0; at < text.size();) {
    const size_t end = std::min(text.find('\n', at), text.size());
    const std::string_view line = trim(text.substr(at, end - at));
    at = end + 1;
    ++number;
    if (line.empty()) continue;
    std::vector<std::string> parts = csv_parts(line);
    if (names.empty()) {
      names = std::move(parts);
      continue;
    }
    const std::string place = fmt::format("line {}", number);
    if (parts.size() != names.size()) {
      faults.add(place, fmt::format("it has {} columns instead of {}", parts.size(), names.size()));
      break;
    }
    Json json = Json::object();
    for (size_t i = 0; i < names.size(); ++i) json[names[i]] = csv_value(names[i], parts[i]);
    tests.push_back({std::move(json), place});
  }
  return tests;
}

/// `pp512`, `tg128@d4096`, `pp512+tg128`: as llama-bench and our own suites name them.
std::string test_name(int64_t prompt, int64_t gen, int64_t depth) {
  std::string name = prompt > 0 ? fmt::format("pp{}", prompt) : "";
  if (gen > 0) name += fmt::format("{}tg{}", name.empty() ? "" : "+", gen);
  if (depth > 0) name += fmt::format("@d{}", depth);
  return name;
}

std::string model_name(std::string path) {
  path.erase(0, path.find_last_of("/\\") + 1);
  if (path.ends_with(".gguf")) path.resize(path.size() - 5);
  return path;
}

/// `Q4_K - Medium` of `qwen2 7B Q4_K - Medium`; empty where no size tells where it begins.
std::string quantization_of(const std::string& type) {
  const auto words = split(type, ' ');
  for (size_t i = 0; i + 1 < words.size(); ++i) {
    const std::string& word = words[i];
    const bool is_size = word.size() > 1 && (word.back() == 'B' || word.back() == 'M') &&
                         word.find_first_of("0123456789?") != std::string::npos;
    if (!is_size) continue;
    const size_t from = words[i + 1] == "mostly" ? i + 2 : i + 1;
    return join({words.begin() + static_cast<std::ptrdiff_t>(from), words.end()}, " ");
  }
  return {};
}

/// Configuration members that differ between the tests: what a cell has to be told apart by.
std::set<std::string> varying_members(const std::vector<Test>& tests) {
  std::map<std::string, std::set<std::string>> seen;
  for (const Test& test : tests) {
    if (!test.json.is_object()) continue;
    for (const auto& [name, value] : test.json.items()) {
      if (!holds(kNoConfiguration, name)) seen[name].insert(value.dump());
    }
  }
  std::set<std::string> varying;
  for (const auto& [name, values] : seen) {
    if (values.size() > 1) varying.insert(name);
  }
  return varying;
}

std::string variant_of(const Json& json, const std::set<std::string>& varying) {
  std::string text;
  for (const std::string& name : varying) {
    if (!json.contains(name)) continue;
    const Json& value = json[name];
    text += fmt::format("{}{} {}", text.empty() ? "" : ", ", name,
                        value.is_string() ? value.get<std::string>() : value.dump());
  }
  return text;
}

struct Shape {
  int64_t prompt = 0;
  int64_t gen = 0;
  int64_t depth = 0;
};

/// One repetition. All times are llama.cpp's own around its decode calls: nothing was sent.
CallRecord record_of(const Shape& shape, double ms) {
  CallRecord r;
  r.outcome = Outcome::kOk;
  r.completion_tokens = shape.gen;
  r.token_source = TokenSource::kEngine;
  r.prefix = shape.depth > 0 ? Prefix::kReused : Prefix::kFresh;
  if (shape.prompt + shape.depth > 0) r.prompt_tokens = shape.prompt + shape.depth;
  if (shape.depth > 0) r.cached_tokens = shape.depth;
  if (shape.prompt > 0) r.engine.prompt_tokens = shape.prompt;
  if (shape.gen > 0) r.engine.output_tokens = shape.gen;
  if (shape.gen == 0) {
    r.engine.prefill_ms = ms;
  } else if (shape.prompt == 0) {
    r.engine.decode_ms = ms;
  }
  r.engine.total_ms = ms;
  return r;
}

void describe_cell(const Fields& test, Cell& cell) {
  cell.version = test.text("build_commit");
  if (const auto number = test.count("build_number")) {
    cell.version = fmt::format("b{} ({})", *number, cell.version);
  }
  cell.quantization = quantization_of(test.text("model_type"));
  cell.model_bytes = test.count("model_size");
  cell.threads = test.count("n_threads");
}

/// What is known of the machine and the configuration, once.
void add_notes(const Fields& test, RunBuilder& run) {
  std::string where = test.text("cpu_info");
  const std::string gpu = test.text("gpu_info");
  if (!gpu.empty()) where += (where.empty() ? "" : ", ") + gpu;
  if (!where.empty()) run.note("measured on " + where);
  std::string how = test.text("backends");
  const auto layers = test.number("n_gpu_layers");
  if (layers && *layers >= 0) {  // Below, llama.cpp decides itself.
    how += fmt::format("{}{} layers on the GPU", how.empty() ? "" : ", ", *layers);
  }
  if (!how.empty()) run.note("llama.cpp backend: " + how);
}

void add_test(const Test& test, const std::set<std::string>& varying, RunBuilder& run,
              Faults& faults, bool& fits) {
  const Fields fields(test.json, test.place, faults);
  const Shape shape{fields.count("n_prompt").value_or(0), fields.count("n_gen").value_or(0),
                    fields.count("n_depth").value_or(0)};
  if (shape.prompt + shape.gen == 0) {
    fields.fault("n_prompt", "it is missing, and n_gen too");
    return;
  }
  const int64_t cell =
      run.cell(model_name(fields.text("model_filename")), variant_of(test.json, varying));
  describe_cell(fields, run.cell_at(cell));
  const std::string name = test_name(shape.prompt, shape.gen, shape.depth);
  const bool prefill_only = shape.gen == 0 && shape.depth == 0;
  const int64_t leg = run.leg(cell, name, Phase::kMeasure, 1,
                              prefill_only ? std::optional(shape.prompt) : std::nullopt);
  const std::string of = run.cell_at(cell).model + " " + name;
  run.report(of, "avg_ts", "tok/s", fields.number("avg_ts"));
  run.report(of, "stddev_ts", "tok/s", fields.number("stddev_ts"));
  const Json* samples = fields.list("samples_ns");
  if (samples == nullptr || samples->empty()) {
    run.only_totals(leg, "the file has averages only; -o json keeps each repetition");
    return;
  }
  for (size_t i = 0; i < samples->size(); ++i) {
    const auto ns = number_at(*samples, i, test.place + ", 'samples_ns'", faults);
    if (!ns) return;
    if (*ns <= 0) {
      faults.add(fmt::format("{}, 'samples_ns'[{}]", test.place, i), "no test takes no time");
      return;
    }
    fits &= run.add(leg, record_of(shape, *ns / 1e6));
  }
  if (shape.prompt > 0 && shape.gen > 0) {
    run.define("tests of prompt and generation at once have one time for both: no speed of either");
  }
}

}  // namespace

bool fits_llama_bench(const ImportText& source) {
  if (is_csv_header(source.text())) return true;
  if (source.size() == 0) return false;
  const Json& first = source.at(0);
  return first.is_object() && first.contains("n_prompt") && first.contains("n_gen") &&
         first.contains("avg_ts");
}

Result<ImportedRun> read_llama_bench(const ImportText& source, const ImportHints& hints) {
  Faults faults;
  std::vector<Test> tests;
  if (is_csv_header(source.text())) tests = csv_tests(source.text(), faults);
  for (size_t i = 0; i < source.size(); ++i) tests.push_back({source.at(i), source.place(i)});
  RunBuilder run(hints, "llamacpp");
  run.define(
      "speeds are llama.cpp's own, around its decode calls: tokenising, sampling and HTTP are not "
      "in them, so there is no TTFT");
  run.define("tg generates from an empty context, @d after a context of that depth, untimed");
  const std::set<std::string> varying = varying_members(tests);
  bool fits = true;
  for (const Test& test : tests) add_test(test, varying, run, faults, fits);
  if (!faults.any() && !tests.empty()) {
    const Fields first(tests.front().json, tests.front().place, faults);
    add_notes(first, run);
    run.version(first.text("build_commit"));
    if (const auto at = nanos_of_utc(first.text("test_time"))) run.started(*at);
  }
  if (faults.any()) return fail(faults.error());
  if (!fits) return too_many_calls();
  return run.finish();
}

}  // namespace assay
