#pragma once

#include <nlohmann/json_fwd.hpp>

#include "model/run.h"

namespace assay {

/// The meta line's `imported`.
nlohmann::ordered_json imported_json(const ImportSource& source);
/// Missing members keep their defaults. Throws nlohmann's exceptions, as every reader of a document
/// in model/json.cc may.
ImportSource parse_imported(const nlohmann::ordered_json& json);

}  // namespace assay
