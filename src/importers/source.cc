#include "importers/source.h"

#include <fmt/format.h>

#include <nlohmann/json.hpp>
#include <vector>

#include "base/text.h"

namespace assay {
namespace {

using Json = nlohmann::ordered_json;

bool begins_like_json(std::string_view text) {
  const size_t first = text.find_first_not_of(" \t\r\n\xef\xbb\xbf");
  return first != std::string_view::npos && (text[first] == '{' || text[first] == '[');
}

}  // namespace

struct ImportText::Documents {
  enum class Layout : uint8_t { kOne, kArray, kLines };
  Layout layout = Layout::kOne;
  Json root;                   ///< Of kOne and kArray.
  std::vector<Json> lines;     ///< Of kLines.
  std::vector<size_t> number;  ///< Of each of `lines` in the file, from 1.
};

ImportText::ImportText(std::string text)
    : text_(std::move(text)), documents_(std::make_unique<Documents>()) {
  if (!begins_like_json(text_)) {
    documents_->layout = Documents::Layout::kLines;
    return;
  }
  Documents& d = *documents_;
  d.root = Json::parse(text_, nullptr, false);
  if (!d.root.is_discarded()) {
    d.layout = d.root.is_array() ? Documents::Layout::kArray : Documents::Layout::kOne;
    return;
  }
  d.root = nullptr;
  d.layout = Documents::Layout::kLines;
  size_t number = 0;
  for (size_t at = 0; at < text_.size();) {
    const size_t end = std::min(text_.find('\n', at), text_.size());
    const std::string_view line = trim(std::string_view(text_).substr(at, end - at));
    at = end + 1;
    ++number;
    if (line.empty()) continue;
    Json document = Json::parse(line, nullptr, false);
    if (document.is_discarded()) {
      fault_ = fmt::format("line {} is cut or no JSON", number);
      d.lines.clear();
      return;
    }
    d.lines.push_back(std::move(document));
    d.number.push_back(number);
  }
}

ImportText::~ImportText() = default;

size_t ImportText::size() const {
  const Documents& d = *documents_;
  if (d.layout == Documents::Layout::kLines) return d.lines.size();
  return d.layout == Documents::Layout::kArray ? d.root.size() : 1;
}

const Json& ImportText::at(size_t index) const {
  const Documents& d = *documents_;
  if (d.layout == Documents::Layout::kLines) return d.lines[index];
  return d.layout == Documents::Layout::kArray ? d.root[index] : d.root;
}

std::string ImportText::place(size_t index) const {
  const Documents& d = *documents_;
  if (d.layout == Documents::Layout::kLines) return fmt::format("line {}", d.number[index]);
  return d.layout == Documents::Layout::kArray ? fmt::format("entry {}", index + 1) : std::string();
}

}  // namespace assay
