#include <fmt/format.h>

#include <algorithm>

#include "base/text.h"
#include "reports/builtin.h"
#include "reports/layout.h"
#include "reports/tables.h"

namespace assay {
namespace {

/// Text of anybody in an element or an attribute; no character that XML 1.0 does not know.
std::string escaped(std::string_view raw) {
  std::string out;
  for (const char c : safe_text(raw, RenderOptions::Glyphs::kUtf8)) {
    if (c == '&') {
      out += "&amp;";
    } else if (c == '<') {
      out += "&lt;";
    } else if (c == '>') {
      out += "&gt;";
    } else if (c == '"') {
      out += "&quot;";
    } else {
      out += c;
    }
  }
  return out;
}

struct Tally {
  int64_t tests = 0;
  int64_t failures = 0;
  int64_t skipped = 0;
  double seconds = 0;

  void add(const Tally& other) {
    tests += other.tests;
    failures += other.failures;
    skipped += other.skipped;
    seconds += other.seconds;
  }
};

std::string counts_text(const Tally& c) {
  return fmt::format(R"(tests="{}" failures="{}" errors="0" skipped="{}" time="{:.3f}")", c.tests,
                     c.failures, c.skipped, c.seconds);
}

std::string case_name(const LegResult& leg) {
  std::string name = fmt::format("{} {}", leg.prompt_id, to_text(leg.phase));
  if (leg.prefix != Prefix::kUnknown) name += fmt::format(" {}", to_text(leg.prefix));
  if (leg.concurrency > 1) name += fmt::format(" c{}", leg.concurrency);
  return name;
}

/// What is inside a test case; counts it. Skips count with their reason: nothing is left out.
std::string verdict_of(const LegResult& leg, Tally& counts) {
  const int64_t ran = leg.ok + leg.failed;
  if (ran == 0) {
    ++counts.skipped;
    const std::string_view reason =
        leg.skipped_reason.empty() ? std::string_view("nothing was recorded") : leg.skipped_reason;
    return fmt::format("      <skipped message=\"{}\"/>\n", escaped(reason));
  }
  std::string out;
  const double rate = static_cast<double>(leg.ok) / static_cast<double>(ran);
  if (rate < kMinSuccessRate) {
    ++counts.failures;
    out += fmt::format(
        "      <failure type=\"success_rate\" message=\"{} of {} calls failed (success rate "
        "{:.3f}, limit {:.2f})\">{} times: {}</failure>\n",
        leg.failed, ran, rate, kMinSuccessRate, leg.failure_calls, escaped(leg.failure));
  }
  std::string said = leg_title(leg);
  for (const std::string_view name : {"ttft_ms", "decode_tps"}) {
    const MetricResult* result = leg.find(name);
    if (result == nullptr) continue;
    said += fmt::format("; {} {} {}", result->metric->label,
                        with_interval(*result->metric, result->summary.mean, result->summary.ci95),
                        result->metric->unit);
  }
  if (leg.skipped > 0) said += "; skipped: " + leg.skipped_reason;
  return out + fmt::format("      <system-out>{}</system-out>\n", escaped(said));
}

std::string test_case(const LegResult& leg, Tally& counts) {
  Tally own{.tests = 1, .seconds = leg.active_s};
  const std::string inside = verdict_of(leg, own);
  counts.add(own);
  return fmt::format(
      "    <testcase classname=\"{}\" name=\"{}\" time=\"{:.3f}\">\n{}    </testcase>\n",
      escaped(leg.cell_id), escaped(case_name(leg)), own.seconds, inside);
}

std::string property(std::string_view name, std::string_view value) {
  return fmt::format("      <property name=\"{}\" value=\"{}\"/>\n", escaped(name), escaped(value));
}

/// What every figure of the run has to be read with.
std::string properties_of(const ReportModel& model) {
  std::string out = property("run", model.meta.run_id) + property("state", model.state) +
                    property("measurement", model.measurement.ok ? "ok" : "NOT ok");
  for (const Caveat& caveat : model.unreliable) {
    out += property(fmt::format("unreliable.{}", caveat.code), caveat.detail);
  }
  return "    <properties>\n" + out + "    </properties>\n";
}

std::string test_suite(const ReportModel& model, const std::string& cell_id, Tally& total) {
  Tally counts;
  std::string cases;
  for (const LegResult& leg : model.legs) {
    if (leg.cell_id == cell_id) cases += test_case(leg, counts);
  }
  total.add(counts);
  std::string caveats;
  for (const Caveat& caveat : model.unreliable) {
    caveats += fmt::format("unreliable: {}: {}\n", caveat.code, escaped(caveat.detail));
  }
  if (!caveats.empty()) caveats = "    <system-out>" + caveats + "    </system-out>\n";
  return fmt::format("  <testsuite name=\"{}\" {} timestamp=\"{}\" hostname=\"{}\">\n{}{}{}",
                     escaped(cell_id), counts_text(counts), escaped(model.meta.started_at_utc),
                     escaped(model.meta.host), properties_of(model), cases, caveats) +
         "  </testsuite>\n";
}

/// The plan's cells, then those that only records name.
std::vector<std::string> cell_ids(const ReportModel& model) {
  std::vector<std::string> ids;
  const auto add = [&](const std::string& id) {
    if (std::find(ids.begin(), ids.end(), id) == ids.end()) ids.push_back(id);
  };
  for (const Cell& cell : model.meta.cells) add(cell.id);
  for (const LegResult& leg : model.legs) add(leg.cell_id);
  return ids;
}

}  // namespace

std::string render_junit(const ReportModel& model, const RenderOptions&) {
  Tally total;
  std::string suites;
  for (const std::string& id : cell_ids(model)) suites += test_suite(model, id, total);
  return fmt::format(
      "<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n"
      "<testsuites name=\"assay {}\" {}>\n{}</testsuites>\n",
      escaped(model.meta.run_id), counts_text(total), suites);
}

}  // namespace assay
