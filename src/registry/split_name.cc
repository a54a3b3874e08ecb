#include "registry/split_name.h"

#include <fmt/format.h>

#include <charconv>

#include "base/text.h"

namespace assay {
namespace {

constexpr std::string_view kPattern = "-00000-of-00000.gguf";
constexpr size_t kDigits = 5;

/// Five digits.
std::optional<int64_t> number(std::string_view digits) {
  int64_t value = 0;
  const auto [end, error] = std::from_chars(digits.data(), digits.data() + digits.size(), value);
  if (error != std::errc() || end != digits.data() + digits.size()) return std::nullopt;
  return value;
}

}  // namespace

std::optional<SplitName> parse_split_name(std::string_view file_name) {
  if (file_name.size() <= kPattern.size()) return std::nullopt;
  const size_t at = file_name.size() - kPattern.size();
  const std::string_view end = file_name.substr(at);
  if (end[0] != '-' || end.substr(6, 4) != "-of-" || to_lower(end.substr(15)) != ".gguf") {
    return std::nullopt;
  }
  const auto no = number(end.substr(1, kDigits));
  const auto count = number(end.substr(10, kDigits));
  if (!no || !count || *no < 1 || *no > *count || *count > kMaxParts) return std::nullopt;
  return SplitName{std::string(file_name.substr(0, at)), *no, *count};
}

std::string split_file_name(const SplitName& part) {
  return fmt::format("{}-{:05}-of-{:05}.gguf", part.prefix, part.no, part.count);
}

}  // namespace assay
