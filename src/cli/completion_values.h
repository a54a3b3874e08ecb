#pragma once

#include <string_view>

#include "cli/completion.h"

namespace assay {

/// A value that is being typed.
struct AskedValue {
  std::string_view path;   ///< Of the command.
  std::string_view name;   ///< Of the flag or argument.
  std::string_view value;  ///< What stands for it in help, such as FILE or `on|off`.
  std::string_view typed;
};

/// The values that are known, whatever was typed so far; none for a number or a text.
Completion values_of(const AskedValue& asked, const KeptNames& kept);

}  // namespace assay
