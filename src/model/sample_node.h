#pragma once

#include <string>
#include <string_view>

#include "base/result.h"

namespace assay {

/// What --sample-node asks for.
struct SampleNode {
  std::string node;               ///< First part of the ids of the cells whose engine runs there.
  std::string destination;        ///< As ssh takes it.
  std::string program = "assay";  ///< Over there: a name on its PATH, or a path.
};

/// `box=box`, `box=me@box:/opt/assay/bin/assay`, `box=ssh://me@box:2222:~/assay`. The path begins
/// with `/` or `~/` and has letters, digits and `._-+/` only, since ssh hands it to a shell over
/// there. kInvalidArgument.
Result<SampleNode> parse_sample_node(std::string_view text);

}  // namespace assay
