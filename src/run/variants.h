#pragma once

#include <string>
#include <vector>

#include "base/result.h"
#include "model/options.h"

namespace assay {

/// One side of an interleaved comparison, or one combination of a matrix: the run's options with
/// its own in their place.
struct Variant {
  std::string name;
  RunSpec spec;
  std::vector<std::string> matrix = {};  ///< Of a combination: Cell::matrix.
};

/// What `--ab NAME=OPT=VALUE[ OPT=VALUE...]` asks for, in the order given; empty without any.
/// Options are those of what is measured and of the engine. kInvalidArgument names the text: a name
/// that is taken or is no word, an option that is not one, a value that it does not take, one
/// variant alone.
Result<std::vector<Variant>> variants_of(const RunSpec& spec);

}  // namespace assay
