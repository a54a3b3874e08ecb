#include "model/sample_node.h"

#include <fmt/format.h>

#include <algorithm>
#include <cstddef>

#include "base/text.h"

namespace assay {
namespace {

/// Where the `:` before a path is; npos without one. That of `ssh://` is none.
size_t path_colon(std::string_view destination) {
  for (size_t at = destination.find(':'); at != std::string_view::npos;
       at = destination.find(':', at + 1)) {
    const std::string_view behind = destination.substr(at + 1);
    if (behind.starts_with("~/") || (behind.starts_with('/') && !behind.starts_with("//"))) {
      return at;
    }
  }
  return std::string_view::npos;
}

bool is_plain(char c) {
  constexpr std::string_view kPlain =
      "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789._-+/";
  return kPlain.find(c) != std::string_view::npos;
}

}  // namespace

Result<SampleNode> parse_sample_node(std::string_view text) {
  const size_t equals = text.find('=');
  SampleNode node;
  if (equals != std::string_view::npos) {
    node.node = text.substr(0, equals);
    node.destination = text.substr(equals + 1);
  }
  bool fine = text.find_first_of(" \t\n") == std::string_view::npos;
  if (const size_t colon = path_colon(node.destination); colon != std::string_view::npos) {
    node.program = node.destination.substr(colon + 1);
    node.destination.resize(colon);
    const size_t from = node.program.starts_with('~') ? 1 : 0;
    fine = fine && node.program.back() != '/' &&
           std::all_of(node.program.begin() + static_cast<std::ptrdiff_t>(from), node.program.end(),
                       is_plain);
  }
  fine = fine && !node.node.empty() && !node.destination.empty() && node.destination[0] != '-';
  if (fine) return node;
  return fail(Errc::kInvalidArgument,
              fmt::format("--sample-node is NODE=DEST or NODE=DEST:PATH with a destination for ssh "
                          "and the path of assay there, not '{}'",
                          printable(text, 80)));
}

}  // namespace assay
