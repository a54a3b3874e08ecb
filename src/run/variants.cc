#include "run/variants.h"

#include <fmt/format.h>

#include <algorithm>

#include "base/text.h"

namespace assay {
namespace {

constexpr size_t kMostVariants = 8;
constexpr size_t kMostNameBytes = 32;

bool is_name(std::string_view text) {
  const auto fits = [](char c) {
    return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '-' ||
           c == '_' || c == '.';
  };
  return !text.empty() && text.size() <= kMostNameBytes &&
         std::all_of(text.begin(), text.end(), fits);
}

std::vector<std::string> words_of(std::string_view text) {
  std::vector<std::string> words;
  while (!(text = trim(text)).empty()) {
    const size_t end = std::min(text.find_first_of(" \t"), text.size());
    words.emplace_back(text.substr(0, end));
    text.remove_prefix(end);
  }
  return words;
}

Error fault(std::string_view text, const std::string& what) {
  return Error(Errc::kInvalidArgument, fmt::format("--ab '{}': {}", printable(text, 80), what),
               "write --ab q4=model=llama3:q4 --ab q8=model=llama3:q8; several options of a "
               "variant are parted by spaces");
}

Result<void> set_option(std::string_view text, const std::string& word, RunSpec& spec) {
  const size_t equals = word.find('=');
  const std::string name = word.substr(0, equals);
  if (equals == std::string::npos)
    return fail(fault(text, fmt::format("'{}' is no OPT=VALUE", word)));
  for (BoundOption& option : bind_options(spec)) {
    if (option.info.name != name) continue;
    if (option.info.group != "what" && option.info.group != "engine") break;
    if (auto set = option.set({word.substr(equals + 1)}); !set) {
      return fail(fault(text, fmt::format("{}: {}", name, set.error().message)));
    }
    if (spec.lists.contains(name)) {
      return fail(fault(text, fmt::format("{} takes one value in a variant", name)));
    }
    return {};
  }
  return fail(fault(text, fmt::format("'{}' is no option of a variant", printable(name, 40))));
}

}  // namespace

Result<std::vector<Variant>> variants_of(const RunSpec& spec) {
  std::vector<Variant> variants;
  for (const std::string& text : spec.ab) {
    const size_t equals = text.find('=');
    Variant variant{text.substr(0, equals), spec, {}};
    variant.spec.ab.clear();
    if (equals == std::string::npos || !is_name(variant.name)) {
      return fail(fault(text, "a variant is NAME=OPT=VALUE, its name of letters, digits and -_."));
    }
    for (const Variant& other : variants) {
      if (other.name == variant.name) return fail(fault(text, "the name is given twice"));
    }
    const auto words = words_of(std::string_view(text).substr(equals + 1));
    if (words.empty()) return fail(fault(text, "no option is given"));
    for (const std::string& word : words) {
      if (auto set = set_option(text, word, variant.spec); !set) return fail(set.error());
    }
    if (const auto faults = check_spec(variant.spec); !faults.empty()) {
      return fail(fault(text, join(faults, "; ")));
    }
    variants.push_back(std::move(variant));
  }
  if (variants.size() == 1 || variants.size() > kMostVariants) {
    return fail(Errc::kInvalidArgument,
                fmt::format("--ab is given {} times: a comparison takes 2 to {} variants",
                            variants.size(), kMostVariants));
  }
  return variants;
}

}  // namespace assay
