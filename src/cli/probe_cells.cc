#include "cli/probe_cells.h"

#include <fmt/format.h>

#include <algorithm>
#include <nlohmann/json.hpp>

#include "base/text.h"
#include "cli/exit_codes.h"
#include "cli/show_run.h"
#include "run/harness.h"

namespace assay {
namespace {

using Json = nlohmann::ordered_json;

Json text_or_null(const std::string& text) {
  return text.empty() ? Json(nullptr) : Json(printable(text));
}

Json cell_json(const Cell& cell) {
  return {{"id", cell.id},
          {"kind", cell.kind},
          {"url", text_or_null(cell.url)},
          {"model", printable(cell.model)},
          {"available", cell.unavailable.empty()},
          {"unavailable", text_or_null(cell.unavailable)},
          {"version", text_or_null(cell.version)},
          {"digest", text_or_null(cell.digest)},
          {"routed_from", text_or_null(cell.routed_from)}};
}

}  // namespace

int probe_cells(const RunSpec& spec) {
  if (const auto faults = check_spec(spec); !faults.empty()) {
    return report_failure(Error(Errc::kInvalidArgument, join(faults, "\n")));
  }
  const auto harness = load_harness(spec);
  if (!harness) return report_failure(harness.error());
  Session session;
  if (auto opened = open_harness(session, spec, **harness); !opened) {
    return report_failure(opened.error());
  }
  Json list = Json::array();
  bool any = false;
  for (const LiveCell& live : session.cells) {
    const Cell& cell = live.cell;
    any = any || cell.unavailable.empty();
    list.push_back(cell_json(cell));
    if (spec.json) continue;
    const std::string what =
        cell.unavailable.empty()
            ? fmt::format("up    {}", cell.version.empty() ? "-" : cell.version)
            : "down  " + cell.unavailable;
    fmt::print("{:<40} {}\n", cell.id, printable(what, 200));
  }
  if (spec.json) {
    const Json document{{"schema", "assay.cells/1"}, {"cells", std::move(list)}};
    fmt::print("{}\n", document.dump(2, ' ', false, Json::error_handler_t::replace));
  }
  return any ? exit_code::kDone : exit_code::kUnreachable;
}

}  // namespace assay
