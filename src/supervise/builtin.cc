#include <algorithm>
#include <array>

#include "supervise/recipe.h"

namespace assay {

std::span<const Recipe> recipe_table() {
  static const std::array table{llama_server_recipe(), bundled_recipe()};
  return table;
}

const Recipe& recipe_for(const std::string& program) {
  const std::string_view name = program.empty() ? "bundled" : "llama-server";
  const auto table = recipe_table();
  return *std::ranges::find(table, name, &Recipe::name);
}

}  // namespace assay
