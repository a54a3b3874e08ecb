#include "cli/registry_view.h"

#include <fmt/format.h>

#include <algorithm>
#include <charconv>

#include "base/text.h"
#include "cli/show_run.h"
#include "run/model_registry.h"

namespace assay {
namespace {

Result<std::optional<int64_t>> context_length(const Invocation& invocation) {
  if (!invocation.has("context-length")) return std::optional<int64_t>();
  const std::string text = invocation.value("context-length");
  int64_t value = 0;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), value);
  if (error != std::errc() || end != text.data() + text.size() || value < 1) {
    return fail(Errc::kInvalidArgument,
                fmt::format("--context-length '{}' is no number of tokens", printable(text, 40)));
  }
  return std::optional(value);
}

}  // namespace

Result<RegistryView> open_registry(const Invocation& invocation, ProgressLine& line) {
  RegistryView view;
  const auto context = context_length(invocation);
  if (!context) return fail(context.error());
  view.context_length = *context;
  const auto data_dir = data_dir_of(invocation.spec);
  if (!data_dir) return fail(data_dir.error());
  view.data_dir = *data_dir;
  view.cache = DigestCache::load(*data_dir);
  auto scan = read_registry(
      *data_dir, surroundings(invocation.spec.models_dir), view.cache,
      [&](const std::string& name) { line.show(fmt::format("reading {}", printable(name, 60))); });
  line.clear();
  if (!scan) return fail(scan.error());
  view.scan = std::move(*scan);
  view.groups = same_weights(view.scan.models);
  view.pools = gpu_pools(machine_roots());
  for (MemoryPool& pool : memory_pools(this_machine())) view.pools.push_back(std::move(pool));
  return view;
}

std::string group_mark(const RegistryView& view, size_t model) {
  for (size_t i = 0; i < view.groups.size(); ++i) {
    const auto& members = view.groups[i].models;
    if (std::ranges::find(members, model) != members.end()) return fmt::format("={}", i + 1);
  }
  return {};
}

}  // namespace assay
