#include "registry/describe.h"

#include <fmt/format.h>
#include <sys/stat.h>

#include <algorithm>
#include <utility>

#include "base/text.h"
#include "registry/fingerprint.h"
#include "registry/split_name.h"

namespace assay {
namespace {

constexpr size_t kMaxNamed = 3;  ///< Missing parts that a reason names.

void make(RegisteredModel& model, ModelState state, std::string reason) {
  if (model.state != ModelState::kWhole) return;  // The first reason is the nearest to the cause.
  model.state = state;
  model.reason = std::move(reason);
}

std::string missing_text(const std::vector<std::string>& missing) {
  std::string text;
  for (size_t i = 0; i < missing.size() && i < kMaxNamed; ++i) {
    text += (i == 0 ? "" : ", ") + missing[i];
  }
  const size_t more = missing.size() - std::min(missing.size(), kMaxNamed);
  if (more > 0) text += fmt::format(" and {} more", more);
  return fmt::format("{} missing: {}", missing.size() == 1 ? "a part is" : "parts are", text);
}

void take_times(const std::filesystem::path& file, RegisteredModel& model) {
  struct stat status {};
  if (::stat(file.c_str(), &status) != 0) return;
  model.bytes += status.st_size;
  model.mtime_ns = std::max(model.mtime_ns, int64_t{status.st_mtim.tv_sec} * 1'000'000'000 +
                                                int64_t{status.st_mtim.tv_nsec});
}

/// Adds what a later part holds to what the first one says.
void add_part(const GgufInfo& part, GgufInfo& whole) {
  whole.parameters += part.parameters;
  whole.tensors += part.tensors;
  whole.file_bytes += part.file_bytes;
  if (!whole.vocabulary) whole.vocabulary = part.vocabulary;
  for (const auto& [format, values] : part.matrix_values) whole.matrix_values[format] += values;
  if (whole.token_cost && part.token_cost) {
    whole.token_cost->weight_bytes += part.token_cost->weight_bytes;
    whole.token_cost->operations += part.token_cost->operations;
  } else {
    whole.token_cost.reset();
  }
}

/// A file that says it is a part has to lie where its engine looks for parts.
void check_part(const std::filesystem::path& file, const GgufInfo& info, RegisteredModel& model) {
  const std::string name = file.filename().string();
  const auto by_name = parse_split_name(name);
  const bool named_part = by_name && by_name->count > 1;
  if (!info.split && !named_part) return;
  if (!info.split) {
    return make(model, ModelState::kBroken,
                fmt::format("{} is named as part {} of {}, but its header says that it is whole",
                            name, by_name->no, by_name->count));
  }
  const int64_t no = info.split->no + 1;
  if (!named_part) {
    return make(
        model, ModelState::kIncomplete,
        fmt::format("{} says that it is part {} of {}, but the others are looked for by "
                    "names that end in {}",
                    name, no, info.split->count, split_file_name({"", no, info.split->count})));
  }
  if (no != by_name->no || info.split->count != by_name->count) {
    make(model, ModelState::kBroken,
         fmt::format("{} says that it is part {} of {}", name, no, info.split->count));
  }
}

ModelKind kind_of(const GgufInfo& info) {
  if (info.architecture == "clip" || info.type == "mmproj") return ModelKind::kProjector;
  if (info.type == "adapter") return ModelKind::kAdapter;
  if (info.tensors == 0) return ModelKind::kVocabulary;
  return info.is_embedding ? ModelKind::kEmbedding : ModelKind::kText;
}

}  // namespace

std::string_view to_text(ModelState state) {
  switch (state) {
    case ModelState::kWhole:
      return "whole";
    case ModelState::kIncomplete:
      return "incomplete";
    case ModelState::kBroken:
      return "broken";
    case ModelState::kShadowed:
      return "shadowed";
    case ModelState::kMissing:
      return "missing";
  }
  return {};
}

std::string_view to_text(ModelKind kind) {
  switch (kind) {
    case ModelKind::kText:
      return "text";
    case ModelKind::kEmbedding:
      return "embedding";
    case ModelKind::kProjector:
      return "projector";
    case ModelKind::kAdapter:
      return "adapter";
    case ModelKind::kVocabulary:
      return "vocabulary";
  }
  return {};
}

RegisteredModel describe_model(ListedModel listed) {
  RegisteredModel model;
  model.fingerprint = model_fingerprint(listed.place, listed.path);
  model.digest = listed.digest;
  if (!listed.problem.empty()) make(model, ModelState::kBroken, listed.problem);
  if (!listed.missing.empty()) make(model, ModelState::kIncomplete, missing_text(listed.missing));
  std::optional<int64_t> tensors;  // That all parts together should have.
  for (const auto& file : listed.files) {
    take_times(file, model);
    auto info = read_gguf_info(file);
    if (!info) {
      make(model, ModelState::kBroken, info.error().message);
      continue;
    }
    check_part(file, *info, model);
    if (info->split && info->split->tensors) tensors = info->split->tensors;
    if (!info->architecture.empty() && !model.header) {
      model.header = std::move(*info);
    } else if (model.header) {
      add_part(*info, *model.header);
    }
  }
  model.present = !listed.files.empty() && listed.missing.empty();
  if (model.header) {
    model.kind = kind_of(*model.header);
    if (tensors && *tensors != model.header->tensors) {
      make(model, ModelState::kBroken,
           fmt::format("its parts hold {} tensors, and should hold {}", model.header->tensors,
                       *tensors));
    }
  }
  model.listed = std::move(listed);
  return model;
}

}  // namespace assay
