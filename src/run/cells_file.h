#pragma once

#include <filesystem>
#include <string>
#include <vector>

#include "base/result.h"
#include "model/run.h"

namespace assay {

/// A cell as a file declares it, before anybody asked its server.
struct DeclaredCell {
  /// id, kind, url, model, unavailable, cold_kind, max_rate, windows, patterns and expect are set.
  Cell cell;
  std::string route;    ///< Address of a router that passes calls on to it; empty for none.
  std::string digest;   ///< What the model's digest has to be; empty: any.
  std::string version;  ///< What the engine's version has to be; empty: any.
};

/// Reads a file of cells: docs/formats/cells.md. Every fault is told at once as `file:line: what`,
/// unknown keys by name. kNotFound, kIo, kInvalidArgument.
Result<std::vector<DeclaredCell>> load_cells(const std::filesystem::path& path);

/// The cells that `ids` name, in the file's order; all without ids. An id holds commas between
/// several. kInvalidArgument names an id that is not there.
Result<std::vector<DeclaredCell>> select_cells(const std::vector<DeclaredCell>& cells,
                                               const std::vector<std::string>& ids);

/// `node:engine:model`, split at the first two colons.
struct CellName {
  std::string node, engine, model;
};
/// kInvalidArgument when a part is missing.
Result<CellName> parse_cell_id(std::string_view id);

/// Calls a second that a cell of a file gets unless it says otherwise.
inline constexpr double kUsualMaxRate = 1.0;

}  // namespace assay
