#pragma once

#include <array>
#include <optional>
#include <string_view>
#include <utility>

namespace assay {

/// The text form of an enumeration: specialise with `static constexpr std::array kNames` of
/// (value, name) pairs. The names appear in ledgers, JSON, CSV and on screen.
template <class E>
struct EnumText;

template <class E>
constexpr std::string_view to_text(E value) {
  for (const auto& [known, name] : EnumText<E>::kNames) {
    if (known == value) return name;
  }
  return "unknown";
}

template <class E>
constexpr std::optional<E> from_text(std::string_view text) {
  for (const auto& [known, name] : EnumText<E>::kNames) {
    if (name == text) return known;
  }
  return std::nullopt;
}

}  // namespace assay
