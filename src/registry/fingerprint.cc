#include "registry/fingerprint.h"

#include <fmt/format.h>

#include "base/ids.h"
#include "base/text.h"
#include "registry/place.h"

namespace assay {

std::string model_fingerprint(std::string_view place, std::string_view relative_path) {
  const std::string path = to_lower(relative_path);
  return sha1_hex(place == kNamedDirectory ? path : fmt::format("{}/{}", place, path));
}

}  // namespace assay
