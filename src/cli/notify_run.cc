#include "cli/notify_run.h"

#include <fmt/format.h>

#include <algorithm>
#include <nlohmann/json.hpp>

#include "base/text.h"
#include "cli/comparison.h"
#include "cli/show_run.h"
#include "reports/findings.h"
#include "reports/run_document.h"
#include "run/notify.h"

namespace assay {
namespace {

using Json = nlohmann::ordered_json;

/// What is to be said: a comparison where there is a baseline, else only what holds of the run.
struct News {
  std::vector<ComparisonReport> comparisons;
  std::vector<Finding> findings;  ///< Of baseline30.
};

News news_of(const RunSpec& spec, const ReportModel& model) {
  News news;
  const auto data_dir = data_dir_of(spec);
  const auto state = data_dir ? read_state(*data_dir) : fail(data_dir.error());
  if (state && state->find<Baseline>(kDefaultBaseline) != nullptr) {
    const auto base = load_named_run(spec, std::string(kDefaultBaseline));
    if (base && base->model.meta.run_id != model.meta.run_id) {
      CompareRequest request;
      request.rule_set = "baseline30";
      news.comparisons.push_back(
          compare_loaded(base->model, base->named.baseline, model, request, *state));
      news.findings = news.comparisons[0].findings;
      return news;
    }
  }
  for (Finding& finding : baseline30({}, model.harness)) {
    if (finding.kind == Finding::Kind::kRedFlag) news.findings.push_back(std::move(finding));
  }
  return news;
}

bool happened(const News& news, std::string_view event) {
  if (event == "finished") return true;
  const auto regressed = [](const ComparisonReport& r) { return r.comparison.regressed(); };
  if (event == "regression" &&
      std::any_of(news.comparisons.begin(), news.comparisons.end(), regressed)) {
    return true;
  }
  return std::any_of(news.findings.begin(), news.findings.end(),
                     [&](const Finding& finding) { return to_text(finding.kind) == event; });
}

/// Schema `assay.notify/1`: the event, the run, and what `assay compare --json` says.
std::string payload_of(std::string_view event, const News& news, const ReportModel& model) {
  Json json{{"schema", "assay.notify/1"}, {"event", event}};
  json["run_id"] = model.meta.run_id;
  json["state"] = model.state;
  json["suite"] = printable(model.meta.suite);
  json["calls"] = calls_document(model);
  Json unreliable = Json::array();
  for (const Caveat& caveat : model.unreliable) {
    unreliable.push_back(fmt::format("{}: {}", caveat.code, printable(caveat.detail)));
  }
  json["unreliable"] = std::move(unreliable);
  Json findings = Json::array();
  for (const Finding& finding : news.findings) findings.push_back(finding_document(finding));
  json["findings"] = std::move(findings);
  json["comparisons"] = Json::parse(comparison_json(news.comparisons))["comparisons"];
  return json.dump(2, ' ', false, Json::error_handler_t::replace) + "\n";
}

}  // namespace

Result<void> check_hooks(const RunSpec& spec) {
  for (const std::string& text : spec.notify) {
    if (auto hook = parse_hook(text); !hook) return fail(hook.error());
  }
  return {};
}

void notify_run(const RunSpec& spec, const ReportModel& model) {
  if (spec.notify.empty()) return;
  const News news = news_of(spec, model);
  for (const std::string_view event : kNotifyEvents) {
    if (!happened(news, event)) continue;
    const std::string payload = payload_of(event, news, model);
    for (const std::string& text : spec.notify) {
      const auto hook = parse_hook(text);
      if (!hook || !hook->wants(event)) continue;
      const auto sent = send_notification(*hook, payload);
      if (!sent) fmt::print(stderr, "warning: notify {}: {}\n", event, sent.error().message);
    }
  }
}

}  // namespace assay
