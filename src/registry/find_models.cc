#include "registry/find_models.h"

#include <fmt/format.h>

#include <functional>

#include "base/text.h"

namespace assay {
namespace {

constexpr size_t kMinPrefix = 6;
constexpr size_t kMaxCandidates = 8;

std::string_view last_part(std::string_view name) {
  const size_t slash = name.rfind('/');
  return slash == std::string_view::npos ? name : name.substr(slash + 1);
}

bool is_path_of(const RegisteredModel& model, std::string_view name) {
  if ((model.listed.root / model.listed.path).string() == name) return true;
  for (const auto& file : model.listed.files) {
    if (file.string() == name) return true;
  }
  return false;
}

std::string candidates(const std::vector<RegisteredModel>& models,
                       const std::vector<size_t>& found) {
  std::string text;
  for (size_t i = 0; i < found.size() && i < kMaxCandidates; ++i) {
    const RegisteredModel& model = models[found[i]];
    text += fmt::format("{}{} ({} {})", i == 0 ? "" : ", ", model.fingerprint.substr(0, 8),
                        model.listed.place, printable(model.listed.name, 60));
  }
  return text;
}

}  // namespace

bool is_pattern(std::string_view name) { return name.find_first_of("*?") != std::string::npos; }

Result<std::vector<size_t>> find_models(const std::vector<RegisteredModel>& models,
                                        std::string_view name) {
  const auto those = [&](const std::function<bool(const RegisteredModel&)>& is_meant) {
    std::vector<size_t> found;
    for (size_t i = 0; i < models.size(); ++i) {
      if (models[i].state != ModelState::kShadowed && is_meant(models[i])) found.push_back(i);
    }
    return found;
  };
  const std::string shown = printable(name, 80);
  if (is_pattern(name)) {
    auto found = those([&](const RegisteredModel& m) { return glob_match(name, m.listed.name); });
    if (found.empty()) return fail(Errc::kNotFound, fmt::format("no model matches '{}'", shown));
    return found;
  }
  const std::string lower = to_lower(name);
  const std::function<bool(const RegisteredModel&)> ways[] = {
      [&](const RegisteredModel& m) { return m.listed.name == name; },
      [&](const RegisteredModel& m) { return is_path_of(m, name); },
      [&](const RegisteredModel& m) { return to_lower(m.listed.name) == lower; },
      [&](const RegisteredModel& m) { return to_lower(last_part(m.listed.name)) == lower; },
      [&](const RegisteredModel& m) {
        return lower.size() >= kMinPrefix && m.fingerprint.starts_with(lower);
      }};
  for (const auto& is_meant : ways) {
    auto found = those(is_meant);
    if (found.size() == 1) return found;
    if (found.size() > 1) {
      return fail(Errc::kInvalidArgument,
                  fmt::format("'{}' fits several models: {}", shown, candidates(models, found)),
                  "name one by the digits of its fingerprint");
    }
  }
  std::vector<std::string> names;
  for (const RegisteredModel& model : models) names.push_back(model.listed.name);
  const std::string near = did_you_mean(name, names);
  return fail(Errc::kNotFound, fmt::format("there is no model '{}'", shown),
              near.empty() ? "'assay models scan' shows the models"
                           : fmt::format("did you mean {}?", printable(near, 80)));
}

}  // namespace assay
