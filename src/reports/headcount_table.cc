#include "reports/headcount_table.h"

#include <fmt/format.h>

#include <nlohmann/json.hpp>
#include <set>

#include "base/text.h"
#include "reports/tables.h"

namespace assay {
namespace {

using Json = nlohmann::ordered_json;

constexpr std::string_view kAboutMet =
    "Calls that held every objective, of those that could be judged; failed calls did not hold "
    "them.";
constexpr std::string_view kAboutLeast =
    "The share of all calls that hold the objectives is at least this, with 95 % confidence.";
constexpr std::string_view kAboutGoodput = "Calls a second that held every objective.";
constexpr std::string_view kAboutVerdict =
    "passes: the lower bound reaches the share that was asked for. misses: the upper bound does "
    "not. open: more calls would tell.";

std::string_view verdict_of(const HeadcountLevel& level) {
  if (level.passes) return "passes";
  return level.misses ? "misses" : "open";
}

std::string percent(std::optional<double> share) {
  return share ? fmt::format("{:.1f} %", 100 * *share) : "-";
}

std::string objectives_text(const Goodput& goodput) {
  std::vector<std::string> texts;
  for (const Objective& objective : goodput.objectives) texts.push_back(objective_text(objective));
  return join(texts, ", ");
}

/// `TTFT at most 2s, at least 10 tok/s for 90 % of calls`
std::string asked_text(const Goodput& goodput) {
  return fmt::format("{} for {:g} % of calls", objectives_text(goodput), 100 * goodput.attainment);
}

/// What keeps the first level that does not count from counting.
std::string limit_text(const Headcount& headcount, const Goodput& goodput) {
  for (const HeadcountLevel& level : headcount.levels) {
    if (level.passes && !level.client_limited && !level.is_void) continue;
    const std::string at = fmt::format("at {} at once", level.concurrency);
    if (level.client_limited) return fmt::format("{} the client was at its ceiling", at);
    if (level.is_void) return fmt::format("{} the calls were not as planned (void)", at);
    if (level.judged == 0) return fmt::format("{} no call could be judged", at);
    std::string seen = fmt::format("{} {} of {} calls held it", at, level.met, level.judged);
    if (level.misses) return seen;
    if (level.met < level.judged) return fmt::format("{}, which leaves it open", seen);
    return fmt::format("{}, and {} would be needed to tell", seen,
                       calls_to_show(goodput.attainment));
  }
  return "no higher level was measured";
}

std::string users_text(const Headcount& headcount) {
  if (!headcount.users) return "no number of users is shown";
  return fmt::format("at least {} {} at once", *headcount.users,
                     *headcount.users == 1 ? "user" : "users");
}

}  // namespace

std::optional<Table> headcount_table(const ReportModel& model) {
  const std::vector<std::string> labels = cell_labels(model.meta);
  Table table;
  table.columns = {{"Headcount", "", Align::kLeft},
                   {"met", "calls", Align::kRight, 0, 0, kAboutMet},
                   {"share", "at least", Align::kRight, 0, 0, kAboutLeast},
                   {"goodput", "calls/s", Align::kRight, 0, 0, kAboutGoodput},
                   {"verdict", "", Align::kLeft, 0, 0, kAboutVerdict}};
  for (const Headcount& headcount : model.goodput.cells) {
    const std::string cell = model.meta.cells.size() > 1
                                 ? labels[static_cast<size_t>(headcount.cell)] + " · "
                                 : std::string();
    for (const HeadcountLevel& level : headcount.levels) {
      std::string verdict(verdict_of(level));
      if (level.client_limited) verdict += ", client_limited";
      if (level.is_void) verdict += ", void";
      for (const std::string& mark : level.marks) verdict += ", " + mark;
      if (level.unjudged > 0) {
        verdict += fmt::format(", {} not judged", level.unjudged);
      }
      table.rows.push_back(
          {fmt::format("{}{} at once{}", cell, level.concurrency, level.marks.empty() ? "" : " !"),
           fmt::format("{} of {}", level.met, level.judged), percent(level.least_share),
           level.goodput ? grouped(*level.goodput, 2) : "-", std::move(verdict)});
    }
  }
  if (table.rows.empty()) return std::nullopt;
  for (std::string& text : headcount_texts(model)) {
    table.rows.push_back({TableCell("= " + std::move(text))});
  }
  return table;
}

std::vector<std::string> headcount_texts(const ReportModel& model) {
  const std::vector<std::string> labels = cell_labels(model.meta);
  std::vector<std::string> texts;
  for (const Headcount& headcount : model.goodput.cells) {
    const std::string cell = model.meta.cells.size() > 1
                                 ? labels[static_cast<size_t>(headcount.cell)] + ": "
                                 : std::string();
    texts.push_back(fmt::format("{}{}: {}; {}", cell, users_text(headcount),
                                asked_text(model.goodput), limit_text(headcount, model.goodput)));
  }
  return texts;
}

std::string headcount_hint(const ReportModel& model) {
  if (!model.goodput.objectives.empty()) return {};
  const auto options = nlohmann::json::parse(model.meta.options_json, nullptr, false);
  const auto levels = options.find("max-concurrency");
  if (!options.is_object() || levels == options.end() || !levels->is_string()) return {};
  if (levels->get<std::string>().find(',') == std::string::npos) return {};
  return "--goodput ttft:2s,tps:10 would say how many users at once are served so";
}

Json headcount_json(const ReportModel& model) {
  const Goodput& goodput = model.goodput;
  if (goodput.objectives.empty()) return nullptr;
  Json cells = Json::array();
  for (const Headcount& headcount : goodput.cells) {
    Json levels = Json::array();
    for (const HeadcountLevel& level : headcount.levels) {
      const auto number = [](std::optional<double> value) {
        return value ? Json(*value) : Json(nullptr);
      };
      levels.push_back({{"concurrency", level.concurrency},
                        {"met", level.met},
                        {"judged", level.judged},
                        {"unjudged", level.unjudged},
                        {"least_share", number(level.least_share)},
                        {"most_share", number(level.most_share)},
                        {"goodput", number(level.goodput)},
                        {"verdict", verdict_of(level)},
                        {"client_limited", level.client_limited},
                        {"void", level.is_void},
                        {"marks", level.marks}});
    }
    const Cell& cell = model.meta.cells[static_cast<size_t>(headcount.cell)];
    cells.push_back({{"cell_id", printable(cell.id)},
                     {"users", headcount.users ? Json(*headcount.users) : Json(nullptr)},
                     {"levels", std::move(levels)}});
  }
  return {{"objectives", objectives_text(goodput)},
          {"attainment", goodput.attainment},
          {"confidence", kSure},
          {"cells", std::move(cells)}};
}

}  // namespace assay
