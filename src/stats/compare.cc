#include "stats/compare.h"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <map>
#include <set>
#include <tuple>

#include "base/text.h"
#include "stats/compare_marks.h"
#include "stats/restarts.h"

namespace assay {
namespace {

constexpr std::array kJudged{JudgedMetric{"ttft_ms", true, true},
                             JudgedMetric{"prefill_tps", true, false},
                             JudgedMetric{"decode_tps", false, true},
                             JudgedMetric{"engine_decode_tps", false, false, "decode_tps"},
                             JudgedMetric{"e2e_ms", false, true}};
/// A role chunk moves first_delta_ms, and with it source 004's tokens_per_sec, by this share.
constexpr double kRoleChunkShare = 0.3;

struct Sample {
  const LegResult* leg = nullptr;
  std::vector<double> units;  ///< Calls, or restarts.
  double log_mean = 0;
};

/// What units a comparison counts, and whether they belong together in pairs.
struct Units {
  bool by_restart = false;
  bool paired = false;
};

bool is_steady(const LegResult& leg) {
  return leg.phase == Phase::kWarm || leg.phase == Phase::kMeasure;
}

double mean_of_logs(const std::vector<double>& values) {
  double sum = 0;
  for (const double value : values) sum += std::log(value);
  return sum / static_cast<double>(values.size());
}

/// Absent when the leg has no positive value of the metric.
std::optional<Sample> sample_of(const LegResult& leg, std::string_view metric, bool by_restart) {
  const MetricResult* result = leg.find(metric);
  if (result == nullptr || result->values.empty()) return std::nullopt;
  const auto positive = [](double v) { return v > 0 && std::isfinite(v); };
  if (!std::all_of(result->values.begin(), result->values.end(), positive)) return std::nullopt;
  Sample sample{&leg, by_restart ? restart_means(*result) : result->values, 0};
  sample.log_mean = mean_of_logs(sample.units);
  return sample;
}

int64_t restarts_of(const ComparedRun& run, std::string_view cell_id) {
  std::set<int64_t> seen;
  for (const LegResult& leg : *run.legs) {
    if (leg.cell_id != cell_id || !is_steady(leg)) continue;
    for (const MetricResult& result : leg.metrics) {
      if (result.restarts.empty()) seen.insert(0);
      seen.insert(result.restarts.begin(), result.restarts.end());
    }
  }
  return static_cast<int64_t>(seen.size());
}

SuccessRate success_of(const ComparedRun& run, std::string_view cell_id) {
  SuccessRate rate;
  for (const LegResult& leg : *run.legs) {
    if (leg.cell_id != cell_id || !is_steady(leg)) continue;
    rate.ok += leg.ok;
    rate.n += leg.ok + leg.failed;
  }
  return rate;
}

const Prompt* prompt_of(const ComparedRun& run, const LegResult& leg) {
  if (leg.leg < 0 || leg.leg >= static_cast<int64_t>(run.meta->legs.size())) return nullptr;
  const int64_t prompt = run.meta->legs[static_cast<size_t>(leg.leg)].prompt;
  if (prompt < 0 || prompt >= static_cast<int64_t>(run.meta->prompts.size())) return nullptr;
  return &run.meta->prompts[static_cast<size_t>(prompt)];
}

/// Synthetic texts differ by seed and are the same question; others have to be the same text.
bool same_question(const ComparedRun& base, const LegResult& a, const ComparedRun& now,
                   const LegResult& b) {
  if (a.prompt_id != b.prompt_id) return false;
  const Prompt* one = prompt_of(base, a);
  const Prompt* two = prompt_of(now, b);
  if (one == nullptr || two == nullptr) return true;
  // An imported file names its tests and has no texts.
  if (one->sha256.empty() || two->sha256.empty()) return true;
  if (one->target_tokens && two->target_tokens) return one->target_tokens == two->target_tokens;
  return one->sha256 == two->sha256;
}

/// The legs of both runs that ask the same under the same conditions.
using Pairs = std::vector<std::pair<const LegResult*, const LegResult*>>;
Pairs matching_legs(const ComparedRun& base, std::string_view base_id, const ComparedRun& now,
                    std::string_view new_id) {
  Pairs pairs;
  for (const LegResult& a : *base.legs) {
    if (a.cell_id != base_id || !is_steady(a) || a.ok == 0) continue;
    for (const LegResult& b : *now.legs) {
      if (b.cell_id != new_id || b.phase != a.phase || b.concurrency != a.concurrency) continue;
      if (b.prefix != a.prefix || b.ok == 0 || !same_question(base, a, now, b)) continue;
      pairs.emplace_back(&a, &b);
    }
  }
  return pairs;
}

void finish(const Tolerance& tolerance, ComparedMetric& row) {
  std::vector<Difference> differences;
  std::vector<LogMean> base_means;
  std::vector<LogMean> now_means;
  double base = 0;
  double now = 0;
  for (const ComparedStratum& stratum : row.strata) {
    base += std::log(stratum.base);
    now += std::log(stratum.now);
    if (stratum.difference.base_n > 0) differences.push_back(stratum.difference);
    if (stratum.base_mean) base_means.push_back(*stratum.base_mean);
    if (stratum.now_mean) now_means.push_back(*stratum.now_mean);
  }
  const auto strata = static_cast<double>(row.strata.size());
  row.base = std::exp(base / strata);
  row.now = std::exp(now / strata);
  row.noise_floor = tolerance.noise_floor;
  // A stratum without a spread would make the others' interval look like that of all.
  if (differences.size() != row.strata.size()) return;
  row.difference = over_strata(differences);
  if (const auto mean = log_mean_over_strata(base_means)) row.base_ci95 = mean->ci95();
  if (const auto mean = log_mean_over_strata(now_means)) row.now_ci95 = mean->ci95();
  row.verdict = judge(*row.difference, row.metric->better, tolerance);
  row.detectable = detectable_change(*row.difference, tolerance);
  if (row.verdict == Verdict::kUnclear) row.more = more_repetitions(*row.difference, tolerance);
}

/// The values of both legs that belong to the same repetition, in its order.
std::pair<std::vector<double>, std::vector<double>> in_pairs(const LegResult& a, const LegResult& b,
                                                             std::string_view metric) {
  std::map<int64_t, double> of_a;
  const MetricResult& first = *a.find(metric);
  const MetricResult& second = *b.find(metric);
  for (size_t i = 0; i < first.values.size(); ++i) of_a[(*first.run_idx)[i]] = first.values[i];
  std::pair<std::vector<double>, std::vector<double>> pairs;
  std::map<int64_t, double> of_b;
  for (size_t i = 0; i < second.values.size(); ++i) of_b[(*second.run_idx)[i]] = second.values[i];
  for (const auto& [repetition, value] : of_a) {
    const auto other = of_b.find(repetition);
    if (other == of_b.end()) continue;
    pairs.first.push_back(value);
    pairs.second.push_back(other->second);
  }
  return pairs;
}

std::optional<Difference> difference_of(const Sample& base, const Sample& now,
                                        std::string_view metric, Units units) {
  if (!units.paired) return difference_between(base.units, now.units);
  if (units.by_restart) return paired_difference(base.units, now.units);
  const auto [a, b] = in_pairs(*base.leg, *now.leg, metric);
  return paired_difference(a, b);
}

std::vector<ComparedMetric> rows_of(const Pairs& pairs, const JudgedMetric& kind, Units units) {
  std::map<std::tuple<int64_t, std::optional<Prefix>>, ComparedMetric> rows;
  for (const auto& [a, b] : pairs) {
    const auto base = sample_of(*a, kind.metric, units.by_restart);
    const auto now = sample_of(*b, kind.metric, units.by_restart);
    if (!base || !now) continue;
    const auto prefix = kind.by_prefix ? std::optional(a->prefix) : std::nullopt;
    ComparedMetric& row = rows[{a->concurrency, prefix}];
    row.metric = find_metric(kind.metric);
    row.prefix = prefix;
    row.concurrency = a->concurrency;
    row.gate = kind.gate;
    row.strata.push_back({a->prompt_id, std::exp(base->log_mean), std::exp(now->log_mean),
                          log_mean_of(base->units), log_mean_of(now->units),
                          difference_of(*base, *now, kind.metric, units).value_or(Difference())});
  }
  std::vector<ComparedMetric> list;
  for (auto& [key, row] : rows) list.push_back(std::move(row));
  return list;
}

/// Where a role chunk comes long before the first text, source 004's figures measure the chunk.
void warn_of_role_chunks(const Pairs& pairs, ComparedCell& cell) {
  for (const auto& [a, b] : pairs) {
    for (const LegResult* leg : {a, b}) {
      const MetricResult* delta = leg->find("first_delta_ms");
      const MetricResult* ttft = leg->find("ttft_ms");
      if (delta == nullptr || ttft == nullptr) continue;
      const double first = delta->summary.p50.value_or(0);
      const double text = ttft->summary.p50.value_or(0);
      if (text <= 0 || std::fabs(text - first) <= kRoleChunkShare * text) continue;
      cell.warnings.push_back(fmt::format(
          "{}: the first event comes at {:.0f} ms, the first text at {:.0f} ms: first_delta_ms and "
          "tokens_per_sec measure a role chunk, compare ttft_ms and decode_tps",
          leg == a ? "base" : "new", first, text));
      return;
    }
  }
}

bool has_row(const ComparedCell& cell, std::string_view metric) {
  return std::any_of(cell.metrics.begin(), cell.metrics.end(),
                     [&](const ComparedMetric& row) { return row.metric->name == metric; });
}

void warn_of_import(std::string_view side, const RunMeta& meta, ComparedCell& cell) {
  if (!meta.imported) return;
  cell.warnings.push_back(
      fmt::format("{} is imported from {}: another instrument, and its definitions", side,
                  meta.imported->tool));
}

std::string no_answer(std::string_view side, const RunMeta& meta) {
  const bool totals = meta.imported && meta.calls.empty();
  return fmt::format("{} {}", side,
                     totals ? "was imported as totals only" : "has no answered call");
}

ComparedCell compare_cells(const ComparedRun& base, const std::string& base_id,
                           const ComparedRun& now, const std::string& new_id,
                           const CompareOptions& options, bool interleaved = false) {
  ComparedCell cell;
  cell.interleaved = interleaved;
  cell.imported = base.meta->imported || now.meta->imported;
  cell.base_id = base_id;
  cell.new_id = new_id;
  cell.base_success = success_of(base, base_id);
  cell.new_success = success_of(now, new_id);
  cell.by_restart = std::min(restarts_of(base, base_id), restarts_of(now, new_id)) >= kMinRestarts;
  const Pairs pairs = matching_legs(base, base_id, now, new_id);
  if (pairs.empty()) {
    cell.not_comparable = cell.base_success.ok == 0  ? no_answer("base", *base.meta)
                          : cell.new_success.ok == 0 ? no_answer("new", *now.meta)
                                                     : "no prompt, concurrency and prefix state "
                                                       "that both have";
    return cell;
  }
  for (const JudgedMetric& kind : kJudged) {
    if (has_row(cell, kind.stands_in_for)) continue;
    for (ComparedMetric& row : rows_of(pairs, kind, {cell.by_restart, interleaved})) {
      Tolerance tolerance{options.tolerance, {}};
      // Two instruments lie apart by more than two runs of one.
      if (options.floor && !cell.imported)
        tolerance.noise_floor = options.floor(new_id, kind.metric);
      finish(tolerance, row);
      cell.metrics.push_back(std::move(row));
    }
  }
  if (cell.metrics.empty()) cell.not_comparable = "no metric that both have";
  warn_of_role_chunks(pairs, cell);
  warn_of_import("base", *base.meta, cell);
  warn_of_import("new", *now.meta, cell);
  return cell;
}

const Cell* find_cell(const ComparedRun& run, std::string_view id) {
  for (const Cell& cell : run.meta->cells) {
    if (cell.id == id) return &cell;
  }
  return nullptr;
}

/// Cells by id; the only ones of two runs belong together whatever they are called.
std::vector<std::pair<const Cell*, const Cell*>> matching_cells(const ComparedRun& base,
                                                                const ComparedRun& now) {
  std::vector<std::pair<const Cell*, const Cell*>> pairs;
  if (base.meta->cells.size() == 1 && now.meta->cells.size() == 1) {
    pairs.emplace_back(&base.meta->cells[0], &now.meta->cells[0]);
    return pairs;
  }
  for (const Cell& cell : base.meta->cells) pairs.emplace_back(&cell, find_cell(now, cell.id));
  for (const Cell& cell : now.meta->cells) {
    if (find_cell(base, cell.id) == nullptr) pairs.emplace_back(nullptr, &cell);
  }
  return pairs;
}

class Circumstances {
 public:
  explicit Circumstances(RunComparison& into, std::string_view of) : into_(into), of_(of) {}

  void add(std::string_view what, const std::string& base, const std::string& now) {
    const std::string name = of_.empty() ? std::string(what) : fmt::format("{} {}", of_, what);
    if (base == now) {
      if (!base.empty()) into_.same.push_back(fmt::format("{} {}", name, base));
    } else {
      into_.differs.push_back({name, base.empty() ? "-" : base, now.empty() ? "-" : now});
    }
  }
  template <class T>
  void add_number(std::string_view name, const std::optional<T>& base,
                  const std::optional<T>& now) {
    const auto text = [](const std::optional<T>& v) { return v ? fmt::format("{}", *v) : ""; };
    add(name, text(base), text(now));
  }

 private:
  RunComparison& into_;
  std::string_view of_;  ///< Which of several cells; empty for the whole run.
};

void compare_settings(const CallSettings& a, const CallSettings& b, Circumstances& into) {
  into.add_number("max_tokens", a.max_tokens, b.max_tokens);
  into.add_number("temperature", a.temperature, b.temperature);
  into.add_number("top_p", a.top_p, b.top_p);
  into.add_number("top_k", a.top_k, b.top_k);
  into.add_number("sampling seed", a.seed, b.seed);
  into.add_number("requested context", a.context_length, b.context_length);
  into.add_number("think", a.think, b.think);
}

/// Threads and context stand beside them: engines that we did not start tell those too.
void compare_loads(const LaunchSettings& a, const LaunchSettings& b, Circumstances& into) {
  into.add_number("slots", a.parallel, b.parallel);
  into.add_number("GPU layers", a.gpu_layers, b.gpu_layers);
  into.add_number("batch size", a.batch_size, b.batch_size);
  into.add_number("ubatch size", a.ubatch_size, b.ubatch_size);
  into.add_number("flash attention", a.flash_attention, b.flash_attention);
  into.add_number("cache type k", a.cache_type_k, b.cache_type_k);
  into.add_number("cache type v", a.cache_type_v, b.cache_type_v);
  into.add_number("mmap", a.mmap, b.mmap);
  into.add_number("mlock", a.mlock, b.mlock);
  into.add_number("KV offload", a.kv_offload, b.kv_offload);
  into.add_number("projector", a.projector, b.projector);
}

void compare_facts(const Cell& base, const Cell& now, Circumstances& into) {
  into.add("engine", base.kind, now.kind);
  // An engine that was started here has another port each time.
  if (!base.managed && !now.managed) into.add("target", base.url, now.url);
  into.add("version", base.version, now.version);
  into.add("model digest", base.digest.substr(0, 12), now.digest.substr(0, 12));
  into.add("quantization", base.quantization, now.quantization);
  into.add_number("model bytes", base.model_bytes, now.model_bytes);
  into.add_number("context", base.context_length, now.context_length);
  into.add_number("threads", base.threads, now.threads);
  compare_loads(base.load_effective.value_or(LaunchSettings()),
                now.load_effective.value_or(LaunchSettings()), into);
}

/// Those of the cell's first leg; a plan asks the same of every variant but for its own options.
CallSettings settings_of(const RunMeta& meta, const Cell& cell) {
  const auto index = &cell - meta.cells.data();
  for (const Leg& leg : meta.legs) {
    if (leg.cell == index && leg.prompt >= 0) return leg.settings;
  }
  return {};
}

/// Settings of the first planned leg that both have; legs of one suite differ by plan, not by hand.
void compare_first_leg(const RunMeta& a, const RunMeta& b, Circumstances& into) {
  if (a.legs.empty() || b.legs.empty()) return;
  if (a.legs.front().settings_hash == b.legs.front().settings_hash) return;
  compare_settings(a.legs.front().settings, b.legs.front().settings, into);
}

/// `1`, or `1, 4, 16`: how many calls were asked at once.
std::string concurrencies_of(const RunMeta& meta) {
  std::set<int64_t> levels;
  for (const Leg& leg : meta.legs) {
    if (leg.phase != Phase::kWarmup && leg.phase != Phase::kSkipped) levels.insert(leg.concurrency);
  }
  std::vector<std::string> texts;
  for (const int64_t level : levels) texts.push_back(std::to_string(level));
  return join(texts, ", ");
}

std::string measured_by(const RunMeta& meta) {
  return meta.imported ? meta.imported->tool : std::string("assay");
}

void compare_circumstances(const RunMeta& a, const RunMeta& b, RunComparison& comparison) {
  Circumstances run(comparison, "");
  run.add("suite", a.suite, b.suite);
  if (a.imported || b.imported) run.add("measured by", measured_by(a), measured_by(b));
  // A synthetic suite's texts follow the seed.
  if (a.suite == b.suite && a.suite != "speed" && a.suite != "synthetic") {
    run.add("suite revision", a.suite_rev.substr(0, 8), b.suite_rev.substr(0, 8));
  }
  run.add("host", a.host, b.host);
  run.add("concurrency", concurrencies_of(a), concurrencies_of(b));
  run.add("assay", a.assay_version, b.assay_version);
  for (const auto& [base, now] :
       matching_cells(ComparedRun{&a, nullptr}, ComparedRun{&b, nullptr})) {
    if (base == nullptr || now == nullptr) continue;
    const bool one_of_many = std::max(a.cells.size(), b.cells.size()) > 1;
    Circumstances into(comparison, one_of_many ? std::string_view(now->model) : "");
    if (base->id != now->id) into.add("cell", base->id, now->id);
    compare_facts(*base, *now, into);
  }
  compare_first_leg(a, b, run);
}

void adjust_gates(std::vector<ComparedCell>& cells) {
  std::vector<ComparedMetric*> gates;
  std::vector<double> p_values;
  for (ComparedCell& cell : cells) {
    for (ComparedMetric& row : cell.metrics) {
      if (!row.gate || !row.difference) continue;
      gates.push_back(&row);
      p_values.push_back(row.difference->p_value());
    }
  }
  const std::vector<double> adjusted = holm(p_values);
  for (size_t i = 0; i < gates.size(); ++i) gates[i]->holm_p = adjusted[i];
}

}  // namespace

std::span<const JudgedMetric> judged_metrics() { return kJudged; }

std::optional<double> SuccessRate::share() const {
  if (n == 0) return std::nullopt;
  return static_cast<double>(ok) / static_cast<double>(n);
}

int64_t RunComparison::count(Verdict verdict) const {
  int64_t found = 0;
  for (const ComparedCell& cell : cells) {
    found += std::count_if(cell.metrics.begin(), cell.metrics.end(),
                           [&](const ComparedMetric& row) { return row.verdict == verdict; });
  }
  return found;
}

bool is_regression(const ComparedMetric& row) {
  constexpr double kAlpha = 0.05;
  return row.gate && row.verdict == Verdict::kWorse && row.holm_p.value_or(1) <= kAlpha;
}

bool RunComparison::empty() const {
  return std::all_of(cells.begin(), cells.end(),
                     [](const ComparedCell& cell) { return cell.metrics.empty(); });
}

bool RunComparison::regressed() const {
  return std::any_of(cells.begin(), cells.end(), [](const ComparedCell& cell) {
    return std::any_of(cell.metrics.begin(), cell.metrics.end(), is_regression);
  });
}

RunComparison compare_runs(const ComparedRun& base, const ComparedRun& now,
                           const CompareOptions& options) {
  RunComparison comparison;
  compare_circumstances(*base.meta, *now.meta, comparison);
  for (const auto& [a, b] : matching_cells(base, now)) {
    if (a != nullptr && b != nullptr) {
      comparison.cells.push_back(compare_cells(base, a->id, now, b->id, options));
      continue;
    }
    ComparedCell cell;
    if (a != nullptr) cell.base_id = a->id;
    if (b != nullptr) cell.new_id = b->id;
    cell.not_comparable = a != nullptr ? "only the base has this cell" : "the base lacks this cell";
    comparison.cells.push_back(std::move(cell));
  }
  adjust_gates(comparison.cells);
  add_compared_marks(base, now, comparison);
  return comparison;
}

RunComparison compare_variants(const ComparedRun& run, const CompareOptions& options) {
  RunComparison comparison;
  const Cell* base = nullptr;
  for (const Cell& cell : run.meta->cells) {
    if (cell.variant.empty()) continue;
    if (base == nullptr) {
      base = &cell;
      continue;
    }
    Circumstances into(comparison, cell.variant);
    compare_facts(*base, cell, into);
    compare_settings(settings_of(*run.meta, *base), settings_of(*run.meta, cell), into);
    comparison.cells.push_back(compare_cells(run, base->id, run, cell.id, options, true));
    comparison.cells.back().shared_load = base->url == cell.url && base->model == cell.model;
  }
  adjust_gates(comparison.cells);
  add_compared_marks(run, run, comparison);
  return comparison;
}

}  // namespace assay
