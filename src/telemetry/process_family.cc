#include "telemetry/process_family.h"

#include <string>
#include <string_view>
#include <vector>

#include "telemetry/sensor_file.h"

namespace assay {

std::set<int> process_family(const std::filesystem::path& proc, int first) {
  std::set<int> family{first};
  std::vector<int> open{first};
  while (!open.empty() && family.size() < kMostInFamily) {
    const auto tasks = proc / std::to_string(open.back()) / "task";
    open.pop_back();
    for (const auto& task : numbered(tasks, "")) {
      const auto text = sensor_text(task / "children");
      if (!text) continue;
      for (const std::string_view word : words_of(*text)) {
        const int child = static_cast<int>(number_in(word).value_or(0));
        if (child > 0 && family.insert(child).second) open.push_back(child);
      }
    }
  }
  return family;
}

}  // namespace assay
