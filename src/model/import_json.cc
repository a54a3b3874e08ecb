#include "model/import_json.h"

#include <nlohmann/json.hpp>

namespace assay {

using Json = nlohmann::ordered_json;

Json imported_json(const ImportSource& s) {
  Json reported = Json::array();
  for (const ReportedFigure& f : s.reported) {
    reported.push_back({{"of", f.of}, {"name", f.name}, {"unit", f.unit}, {"value", f.value}});
  }
  return {{"tool", s.tool},
          {"version", s.version},
          {"file", s.file},
          {"sha256", s.sha256},
          {"imported_at_utc", s.imported_at_utc},
          {"definitions", s.definitions},
          {"reported", std::move(reported)}};
}

ImportSource parse_imported(const Json& json) {
  ImportSource s;
  s.tool = json.value("tool", "");
  s.version = json.value("version", "");
  s.file = json.value("file", "");
  s.sha256 = json.value("sha256", "");
  s.imported_at_utc = json.value("imported_at_utc", "");
  s.definitions = json.value("definitions", std::vector<std::string>());
  for (const Json& item : json.value("reported", Json::array())) {
    s.reported.push_back({item.value("of", ""), item.value("name", ""), item.value("unit", ""),
                          item.value("value", 0.0)});
  }
  return s;
}

}  // namespace assay
