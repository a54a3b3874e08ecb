#include <fmt/format.h>

#include <algorithm>

#include "base/files.h"
#include "base/text.h"
#include "cli/registry_view.h"
#include "registry/eligibility.h"
#include "reports/layout.h"

namespace assay {
namespace {

constexpr size_t kNameWidth = 32;
constexpr size_t kIndent = 4;

/// The furthest of present, enabled and benchmark that holds, or what the model is instead.
std::string_view state_word(const RegisteredModel& model) {
  if (model.state != ModelState::kWhole) return to_text(model.state);
  if (model.kind != ModelKind::kText && model.kind != ModelKind::kEmbedding) {
    return to_text(model.kind);
  }
  if (!model.enabled) return "present";
  return is_eligible(model) ? "benchmark" : "enabled";
}

void add_reason(const std::string& reason, std::string& text) {
  for (const auto& line : wrap(printable(reason), kConsoleWidth - kIndent - 2, 0)) {
    text += fmt::format("{:{}}{}\n", "", kIndent + 2, line);
  }
}

/// Fitted to its column by leaving out the beginning, where models of one kind are alike.
std::string fitted_name(const std::string& name) {
  std::string shown = printable(name, 400);
  if (shown.size() <= kNameWidth) return shown;
  size_t from = shown.size() - (kNameWidth - 1);
  while (from < shown.size() && (static_cast<unsigned char>(shown[from]) & 0xc0) == 0x80) ++from;
  return "…" + shown.substr(from);
}

void add_row(const RegistryView& view, size_t index, bool& any_too_large, std::string& text) {
  const RegisteredModel& model = view.scan.models[index];
  const auto need = memory_need(model, view.context_length);
  const bool too_large = need && !view.pools.empty() && fitting_pool(*need, view.pools) == nullptr;
  any_too_large |= too_large;
  const std::string quantization =
      model.header ? printable(model.header->quantisation, 8) : std::string();
  std::string line = fmt::format("  {:<{}} {:<8}{:>9}{:>9}{} {:<10} {}",
                                 fitted_name(model.listed.name), kNameWidth, quantization,
                                 bytes_text(model.bytes), need ? bytes_text(need->total()) : "-",
                                 too_large ? "!" : " ", state_word(model), group_mark(view, index));
  text += std::string(line, 0, line.find_last_not_of(' ') + 1) + "\n";
  if (!model.reason.empty()) add_reason(model.reason, text);
}

std::string yes_or_no(bool value) { return value ? "yes" : "no"; }

std::string share_text(const GgufInfo& header) {
  double total = 0;
  for (const auto& [format, values] : header.matrix_values) total += static_cast<double>(values);
  std::string text;
  for (const auto& [format, values] : header.matrix_values) {
    text += fmt::format("{}{} {:.0f} %", text.empty() ? "" : ", ", format,
                        total > 0 ? 100 * static_cast<double>(values) / total : 0);
  }
  return text;
}

class Facts {
 public:
  void add(std::string_view name, const std::string& value) {
    if (value.empty()) return;
    std::string head = fmt::format("  {:<13} ", name);
    for (const auto& line : wrap(printable(value, 4000), kConsoleWidth - head.size(), 0)) {
      text_ += head + line + "\n";
      head.assign(head.size(), ' ');
    }
  }
  std::string take() { return std::move(text_); }

 private:
  std::string text_;
};

void add_header(const GgufInfo& header, Facts& facts) {
  facts.add("title", header.name);
  facts.add("architecture", header.architecture);
  facts.add("parameters", grouped(static_cast<double>(header.parameters), 0));
  facts.add("quantization", header.quantisation);
  facts.add("matrices", share_text(header));
  if (header.context_length) {
    facts.add("context",
              fmt::format("{} tokens", grouped(static_cast<double>(*header.context_length), 0)));
  }
  facts.add("chat template", yes_or_no(header.chat_template));
  if (header.random_weights) facts.add("weights", "random: speed is real, text is noise");
}

void add_memory(const RegistryView& view, const RegisteredModel& model, Facts& facts) {
  const auto need = memory_need(model, view.context_length);
  if (!need) return;
  facts.add(
      "needs about",
      fmt::format("{} at {} tokens: weights {}, context {}, buffers {}", bytes_text(need->total()),
                  grouped(static_cast<double>(need->context_length), 0), bytes_text(need->weights),
                  need->cache ? bytes_text(*need->cache) : "unknown", bytes_text(need->compute)));
  if (view.pools.empty()) return;
  const MemoryPool* pool = fitting_pool(*need, view.pools);
  if (pool != nullptr) {
    facts.add("fits",
              fmt::format("yes: {} of {} are free", bytes_text(pool->free_bytes), pool->name));
    return;
  }
  std::string free;
  for (const MemoryPool& p : view.pools) {
    free += fmt::format("{}{} of {}", free.empty() ? "" : ", ", bytes_text(p.free_bytes), p.name);
  }
  facts.add("fits", fmt::format("no: only {} are free", free));
}

std::string same_weights_text(const RegistryView& view, size_t index) {
  std::string text;
  for (const WeightsGroup& group : view.groups) {
    if (std::ranges::find(group.models, index) == group.models.end()) continue;
    for (const size_t other : group.models) {
      if (other == index) continue;
      const RegisteredModel& model = view.scan.models[other];
      text +=
          fmt::format("{}{} ({})", text.empty() ? "" : ", ", model.listed.name, model.listed.place);
    }
  }
  return text;
}

/// What to do about the first reason.
std::string next_step(const RegisteredModel& model) {
  if (!why_not_enabled(model).empty() || model.kind == ModelKind::kEmbedding) return {};
  const std::string name = printable(model.listed.name, 400);
  if (!model.enabled) return fmt::format("assay models enable {}", name);
  return model.benchmark ? std::string() : fmt::format("assay models benchmark {}", name);
}

}  // namespace

std::string weights_text(const RegistryView& view) {
  std::string text;
  for (size_t i = 0; i < view.groups.size(); ++i) {
    std::vector<std::string> names;
    for (const size_t model : view.groups[i].models) {
      names.push_back(printable(view.scan.models[model].listed.name, 200));
    }
    const std::string line = fmt::format("the same weights (sha256 {}…): {}",
                                         view.groups[i].digest.substr(0, 16), join(names, ", "));
    std::string head = fmt::format("={:<3}", i + 1);
    for (const std::string& part : wrap(line, kConsoleWidth - head.size(), 0)) {
      text += head + part + "\n";
      head.assign(head.size(), ' ');
    }
  }
  return text;
}

std::string registry_table(const RegistryView& view) {
  std::string text;
  bool any_too_large = false;
  for (const ScannedRoot& root : view.scan.roots) {
    text += fmt::format("{}  ({})\n", printable(short_path(root.path)), root.place);
    for (const std::string& problem : root.problems) add_reason(problem, text);
    size_t shown = 0;
    for (size_t i = 0; i < view.scan.models.size(); ++i) {
      const ListedModel& listed = view.scan.models[i].listed;
      if (listed.root != root.path) continue;
      if (shown++ == 0) {
        text += fmt::format("  {:<{}} {:<8}{:>9}{:>9}  {:<10} {}\n", "model", kNameWidth, "quant",
                            "size", "needs", "state", "same");
      }
      add_row(view, i, any_too_large, text);
    }
    if (shown == 0 && root.problems.empty()) text += "  no models\n";
  }
  text += weights_text(view);
  if (any_too_large) {
    text += "!   needs more memory than is free";
    for (const MemoryPool& pool : view.pools) {
      text += fmt::format(" ({}: {})", pool.name, bytes_text(pool.free_bytes));
    }
    text += "\n";
  }
  return text;
}

std::string registered_model_text(const RegistryView& view, size_t index) {
  const RegisteredModel& model = view.scan.models[index];
  Facts facts;
  facts.add("place", fmt::format("{} ({})", short_path(model.listed.root), model.listed.place));
  for (const auto& file : model.listed.files) facts.add("file", short_path(file));
  for (const auto& file : model.listed.missing) facts.add("missing", file);
  facts.add("state", std::string(to_text(model.state)));
  facts.add("kind", model.header ? std::string(to_text(model.kind)) : std::string());
  if (model.header) add_header(*model.header, facts);
  if (model.listed.projector) facts.add("projector", short_path(*model.listed.projector));
  facts.add("size", bytes_text(model.bytes));
  add_memory(view, model, facts);
  facts.add("fingerprint", model.fingerprint);
  facts.add("sha256", model.digest.value_or("not computed yet: 'assay models scan' does"));
  facts.add("same weights", same_weights_text(view, index));
  facts.add("present", yes_or_no(model.present));
  facts.add("enabled", yes_or_no(model.enabled));
  facts.add("benchmark", yes_or_no(model.benchmark));
  const auto reasons = why_not_eligible(model);
  for (const std::string& reason : reasons) facts.add("why not?", reason);
  const std::string next = reasons.empty() ? std::string() : next_step(model);
  return printable(model.listed.name) + "\n" + facts.take() +
         (next.empty() ? next : fmt::format("Next    {}\n", next));
}

}  // namespace assay
