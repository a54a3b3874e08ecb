#include <fmt/format.h>

#include <filesystem>
#include <nlohmann/json.hpp>
#include <optional>
#include <vector>

#include "base/text.h"
#include "cli/command.h"
#include "cli/exit_codes.h"
#include "cli/named_run.h"
#include "cli/show_run.h"
#include "reports/imported.h"
#include "reports/layout.h"
#include "stats/explain.h"
#include "store/ledger_scan.h"

namespace assay {
namespace {

using Json = nlohmann::ordered_json;

/// One leg's figure, and the call in its middle.
struct Explained {
  const LegResult* leg = nullptr;
  const MetricResult* result = nullptr;  ///< Null when no call has a value.
  MedianCalls::Found middle;
  std::optional<CallRecord> call;  ///< That in the middle.
};

/// Reads the ledger once more, for the calls that were found to be in the middle.
Result<void> fetch_calls(const std::filesystem::path& ledger, std::vector<Explained>& legs) {
  int64_t place = 0;
  const auto scanned = scan_ledger(ledger, UnendedLine::kAccept, [&](CallRecord&& record) {
    for (Explained& one : legs) {
      if (one.middle.place == place) one.call = record;
    }
    ++place;
    return Result<void>();
  });
  if (!scanned) return fail(scanned.error());
  return {};
}

std::string_view mean_of(const Metric& metric) {
  if (metric.gaps_of_call != nullptr) return "a leg pools the gaps of all its calls";
  if (metric.parts_of_call != nullptr) return "a leg's mean is the ratio of sums over its calls";
  return "a leg's mean is the arithmetic mean over its calls";
}

void print_text(const Metric& metric, const std::vector<Explained>& legs) {
  const auto say = [](std::string_view text, size_t indent) {
    for (const std::string& line : wrap(text, kConsoleWidth - indent, 4)) {
      fmt::print("{}{}\n", std::string(indent, ' '), line);
    }
  };
  fmt::print("{} · {}, {}\n", metric.name, metric.label, metric.unit);
  say(metric.definition, 4);
  say(mean_of(metric), 4);
  for (const Explained& one : legs) {
    fmt::print("\n");
    say(fmt::format("{} · {} · {} · {} prefix", printable(one.leg->cell_id, 60),
                    printable(one.leg->prompt_id, 40), to_text(one.leg->phase),
                    to_text(one.leg->prefix)),
        0);
    if (one.result == nullptr || !one.call) {
      say(fmt::format("no call has a value: {} ({} of {} calls)", missing_text(one.middle.missing),
                      one.middle.missing_calls, one.leg->ok),
          4);
      continue;
    }
    const int64_t n = one.result->summary.n;
    const std::string_view unit = metric.gaps_of_call != nullptr ? "gap" : "call";
    say(fmt::format("mean {} {}, p50 {}, of {} {}{}", metric_text(metric, one.result->summary.mean),
                    metric.unit, metric_text(metric, one.result->summary.p50), n, unit,
                    n == 1 ? "" : "s"),
        4);
    const auto formula = formula_with_values(metric.name, *one.call);
    const std::string value = metric_text(metric, metric.of_call(*one.call));
    say(fmt::format("call {}, in the middle: {}{} {}", one.call->index,
                    formula ? *formula + " = " : "", value, metric.unit),
        4);
    for (const PeerFigure& peer : peers_of(metric.name)) {
      const Metric* theirs = find_metric(peer.metric);
      say(fmt::format("{} would call it {} {} {}: {}", peer.tool, peer.called,
                      metric_text(*theirs, theirs->of_call(*one.call)), theirs->unit, peer.why),
          8);
    }
  }
}

/// Below, our formulas stand for what its file tells; here is what that is.
void print_import(const ImportSource& source) {
  for (const std::string& line : wrap(import_text(source), kConsoleWidth, 4)) {
    fmt::print("{}\n", printable(line));
  }
  for (const std::string& definition : source.definitions) {
    for (const std::string& line : wrap(definition, kConsoleWidth - 4, 4)) {
      fmt::print("    {}\n", printable(line));
    }
  }
  fmt::print("\n");
}

Json leg_json(const Metric& metric, const Explained& one) {
  const auto number = [](std::optional<double> v) { return v ? Json(*v) : Json(nullptr); };
  Json peers = Json::array();
  Json formula = nullptr;
  if (one.call) {
    if (const auto text = formula_with_values(metric.name, *one.call)) formula = *text;
    for (const PeerFigure& peer : peers_of(metric.name)) {
      const Metric* theirs = find_metric(peer.metric);
      peers.push_back({{"tool", peer.tool},
                       {"called", peer.called},
                       {"metric", peer.metric},
                       {"value", number(theirs->of_call(*one.call))},
                       {"unit", theirs->unit},
                       {"why", peer.why}});
    }
  }
  return {{"cell_id", printable(one.leg->cell_id)},
          {"prompt_id", printable(one.leg->prompt_id)},
          {"phase", to_text(one.leg->phase)},
          {"prefix", to_text(one.leg->prefix)},
          {"n", one.result == nullptr ? 0 : one.result->summary.n},
          {"mean", one.result == nullptr ? Json(nullptr) : number(one.result->summary.mean)},
          {"median_call", !one.call ? Json(nullptr) : Json(one.call->index)},
          {"formula", std::move(formula)},
          {"value", !one.call ? Json(nullptr) : number(metric.of_call(*one.call))},
          {"missing", one.middle.missing.empty() ? Json(nullptr) : Json(one.middle.missing)},
          {"peers", std::move(peers)}};
}

std::string names_of_metrics() {
  std::string names;
  for (const Metric& metric : metrics()) names += fmt::format(" {}", metric.name);
  return names;
}

}  // namespace

int command_explain(Invocation& invocation) {
  const std::string name = invocation.argument("METRIC");
  const Metric* metric = find_metric(name);
  if (metric == nullptr) {
    return report_failure(Error(Errc::kInvalidArgument,
                                fmt::format("there is no metric '{}'", printable(name, 40)),
                                "metrics are" + names_of_metrics()));
  }
  MedianCalls medians(*metric);
  const auto run = load_named_run(invocation.spec, invocation.argument("RUN"), Keep::kSample,
                                  [&](const CallRecord& record) { medians.add(record); });
  if (!run) return report_failure(run.error());
  std::vector<Explained> legs;
  for (const LegResult& leg : run->model.legs) {
    if (leg.ok > 0) legs.push_back({&leg, leg.find(metric->name), medians.find(leg), {}});
  }
  if (auto fetched = fetch_calls(run->named.ledger, legs); !fetched) {
    return report_failure(fetched.error());
  }
  const auto& imported = run->model.meta.imported;
  if (!invocation.spec.json) {
    if (imported) print_import(*imported);
    print_text(*metric, legs);
    return exit_code::kDone;
  }
  Json list = Json::array();
  for (const Explained& one : legs) list.push_back(leg_json(*metric, one));
  const Json document{{"schema", "assay.explain/1"},
                      {"metric", metric->name},
                      {"unit", metric->unit},
                      {"definition", metric->definition},
                      {"imported_from", imported ? Json(imported->tool) : Json(nullptr)},
                      {"legs", std::move(list)}};
  fmt::print("{}\n", document.dump(2, ' ', false, Json::error_handler_t::replace));
  return exit_code::kDone;
}

}  // namespace assay
