#include "store/responses.h"

#include <fstream>
#include <nlohmann/json.hpp>
#include <utility>

namespace assay {
namespace {

using Json = nlohmann::ordered_json;

/// The longest front of at most kMaxResponseBytes that does not cut a character.
std::string_view kept_front(std::string_view text) {
  if (text.size() <= kMaxResponseBytes) return text;
  size_t cut = kMaxResponseBytes;
  for (int back = 0; back < 3 && (static_cast<unsigned char>(text[cut]) & 0xc0) == 0x80; ++back) {
    --cut;
  }
  return text.substr(0, cut);
}

}  // namespace

std::string response_line(const ResponseText& response) {
  const std::string_view kept = kept_front(response.text);
  const Json json{{"index", response.index},
                  {"attempt", response.attempt},
                  {"text", kept},
                  {"truncated", response.truncated || kept.size() < response.text.size()}};
  return json.dump(-1, ' ', false, Json::error_handler_t::replace);
}

Result<std::vector<ResponseText>> read_responses(const std::filesystem::path& path) {
  std::vector<ResponseText> responses;
  std::ifstream file(path, std::ios::binary);
  for (std::string line; std::getline(file, line);) {
    const Json json = Json::parse(line, nullptr, false);
    if (!json.is_object()) continue;
    try {
      responses.push_back({json.value("index", int64_t{0}), json.value("attempt", int64_t{1}),
                           json.value("text", std::string()), json.value("truncated", false)});
    } catch (const Json::exception&) {
      continue;
    }
  }
  if (file.bad()) return fail(Errc::kIo, "cannot read " + path.string());
  return responses;
}

}  // namespace assay
