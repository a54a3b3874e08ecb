#include "reports/html/data.h"

#include <algorithm>
#include <array>
#include <nlohmann/json.hpp>
#include <string_view>

#include "reports/run_document.h"

namespace assay {
namespace {

using Json = nlohmann::ordered_json;

constexpr std::array<std::string_view, 3> kMainMetrics{"ttft_ms", "decode_tps", "e2e_ms"};

/// ASCII; no `<`, so that no text can end the element or begin a comment; no `://`.
std::string dumped(const Json& document) {
  const std::string text = document.dump(-1, ' ', true, Json::error_handler_t::replace);
  std::string out;
  for (size_t i = 0; i < text.size(); ++i) {
    if (text[i] == '<') {
      out += "\\u003c";
    } else if (text.compare(i, 3, "://") == 0) {
      out += "\\u003a";
    } else {
      out += text[i];
    }
  }
  return out;
}

void keep_main_metrics(Json& document) {
  for (Json& leg : document["legs"]) {
    Json kept = Json::object();
    for (const std::string_view name : kMainMetrics) {
      const auto found = leg["metrics"].find(name);
      if (found != leg["metrics"].end()) kept[std::string(name)] = *found;
    }
    leg["metrics"] = std::move(kept);
  }
}

void drop_metrics(Json& document) {
  for (Json& leg : document["legs"]) leg.erase("metrics");
}

void drop_legs(Json& document) { document.erase("legs"); }

void drop_preflight(Json& document) {
  document.erase("preflight");
  document.erase("routing");
}

void drop_notes(Json& document) { document.erase("notes"); }

void drop_cells(Json& document) {
  document.erase("cells");
  document.erase("cells_summary");
}

struct Cut {
  const char* name;
  void (*apply)(Json&);
};
constexpr std::array kCuts{
    Cut{"metrics of legs but ttft_ms, decode_tps and e2e_ms", keep_main_metrics},
    Cut{"metrics of legs", drop_metrics},
    Cut{"legs", drop_legs},
    Cut{"notes", drop_notes},
    Cut{"preflight and routing", drop_preflight},
    Cut{"cells", drop_cells}};

}  // namespace

std::string data_island(const ReportModel& model) {
  Json document = run_document(model);
  std::string text = dumped(document);
  for (const Cut& cut : kCuts) {
    if (text.size() <= kMaxDataBytes) break;
    cut.apply(document);
    document["left_out"].push_back(cut.name);
    text = dumped(document);
  }
  return "<script type=\"application/json\" id=\"assay-run\">" + text + "</script>\n";
}

}  // namespace assay
