#include "run/model_filter.h"

#include <fmt/format.h>
#include <re2/re2.h>

#include <algorithm>
#include <optional>
#include <string_view>
#include <vector>

#include "base/quantity.h"
#include "base/text.h"

namespace assay {
namespace {

/// A size label names a class of models: a `7B` has 6.7 to 7.6 thousand million parameters.
constexpr double kLabelTolerance = 0.1;

/// A span of parameters, both ends included.
struct ParameterSpan {
  std::string text;
  double least = 0;
  double most = 0;
};

Result<ParameterSpan> parse_span(const std::string& text) {
  ParameterSpan span{.text = text};
  const size_t dash = text.find('-');
  const auto low = parse_parameters(text.substr(0, dash));
  if (!low) return fail(low.error());
  const auto high = dash == std::string::npos ? low : parse_parameters(text.substr(dash + 1));
  if (!high) return fail(high.error());
  if (*high < *low) {
    return fail(Errc::kInvalidArgument, fmt::format("'{}' is empty", printable(text, 40)));
  }
  span.least = static_cast<double>(*low) * (1 - kLabelTolerance);
  span.most = static_cast<double>(*high) * (1 + kLabelTolerance);
  return span;
}

struct Pattern {
  std::string text;
  std::unique_ptr<RE2> expression;
};

Result<std::vector<Pattern>> compile(const std::vector<std::string>& texts,
                                     std::string_view option) {
  RE2::Options options;
  options.set_case_sensitive(false);
  options.set_log_errors(false);
  std::vector<Pattern> patterns;
  for (const std::string& text : texts) {
    auto expression = std::make_unique<RE2>(text, options);
    if (!expression->ok()) {
      return fail(Errc::kInvalidArgument,
                  fmt::format("--{} '{}' is no regular expression: {}", option, printable(text, 80),
                              expression->error()),
                  "RE2's syntax; letters and digits stand for themselves");
    }
    patterns.push_back({text, std::move(expression)});
  }
  return patterns;
}

std::vector<std::string> parts_of(const std::vector<std::string>& values) {
  std::vector<std::string> parts;
  for (const std::string& value : values) {
    for (std::string& part : split(value, ',')) {
      if (!part.empty()) parts.push_back(std::move(part));
    }
  }
  return parts;
}

bool is_word_char(char c) { return (c >= 'a' && c <= 'z') || (c >= '0' && c <= '9'); }

/// Whether a text has the word between its ends, hyphens, dots and underscores: `q4` is in
/// `q4_k_m`, `f16` is not in `bf16`. Both in lower case.
bool has_word(std::string_view text, std::string_view word) {
  for (size_t at = text.find(word); at != std::string_view::npos; at = text.find(word, at + 1)) {
    const size_t end = at + word.size();
    const bool begins = at == 0 || !is_word_char(text[at - 1]);
    if (begins && (end == text.size() || !is_word_char(text[end]))) return true;
  }
  return false;
}

bool holds_word(const std::vector<std::string>& words, const std::string& text) {
  const std::string lower = to_lower(text);
  return std::any_of(words.begin(), words.end(),
                     [&](const std::string& word) { return has_word(lower, to_lower(word)); });
}

std::string number_label(int64_t parameters) {
  const auto value = static_cast<double>(parameters);
  return value < 1e9 ? fmt::format("{:.0f}M", value / 1e6) : fmt::format("{:.1f}B", value / 1e9);
}

std::string unknown(std::string_view option, std::string_view what) {
  return fmt::format("--{}: its {} is not known", option, what);
}

}  // namespace

struct ModelFilter::Conditions {
  std::vector<std::string> quants;
  std::vector<std::string> architectures;
  std::vector<ParameterSpan> parameters;
  std::optional<int64_t> min_context;
  std::optional<int64_t> max_bytes;
  bool only_vision = false;
  bool only_tools = false;
  std::vector<Pattern> include;
  std::vector<Pattern> exclude;
};

namespace {

std::string by_words(const std::vector<std::string>& wanted, const std::string& value,
                     std::string_view option, std::string_view what) {
  if (wanted.empty() || holds_word(wanted, value)) return {};
  if (value.empty()) return unknown(option, what);
  return fmt::format("--{} {}: it is {}", option, join(wanted, ","), printable(value, 40));
}

std::string by_parameters(const std::vector<ParameterSpan>& spans,
                          const std::optional<int64_t>& parameters) {
  if (spans.empty()) return {};
  if (!parameters) return unknown("params", "number of parameters");
  const auto value = static_cast<double>(*parameters);
  std::vector<std::string> texts;
  for (const ParameterSpan& span : spans) {
    if (value >= span.least && value <= span.most) return {};
    texts.push_back(span.text);
  }
  return fmt::format("--params {}: it has {}", join(texts, ","), number_label(*parameters));
}

std::string by_ability(bool wanted, const std::optional<bool>& has, std::string_view option,
                       std::string_view what) {
  if (!wanted || has.value_or(false)) return {};
  return fmt::format("--{}: it {}{}", option, has ? "does not " : "is not known to ", what);
}

bool matches(const Pattern& pattern, const std::string& name) {
  return RE2::PartialMatch(name, *pattern.expression);
}

}  // namespace

ModelFilter::ModelFilter() = default;
ModelFilter::ModelFilter(ModelFilter&&) noexcept = default;
ModelFilter& ModelFilter::operator=(ModelFilter&&) noexcept = default;
ModelFilter::~ModelFilter() = default;

Result<ModelFilter> ModelFilter::of(const RunSpec& spec) {
  auto conditions = std::make_unique<Conditions>();
  conditions->quants = parts_of(spec.quants);
  conditions->architectures = parts_of(spec.arch);
  for (const std::string& text : parts_of(spec.params)) {
    auto span = parse_span(text);
    if (!span) {
      return fail(Errc::kInvalidArgument, "--params: " + span.error().message,
                  "such as 7B, 350M or 3B-8B");
    }
    conditions->parameters.push_back(std::move(*span));
  }
  conditions->min_context = spec.min_context;
  if (!spec.max_size.empty()) {
    const auto bytes = parse_size(spec.max_size);
    if (!bytes) {
      return fail(Errc::kInvalidArgument, "--max-size: " + bytes.error().message,
                  "such as 8GB; a bare number is in GB");
    }
    conditions->max_bytes = *bytes;
  }
  conditions->only_vision = spec.only_vision;
  conditions->only_tools = spec.only_tools;
  auto include = compile(spec.include_models, "include-models");
  if (!include) return fail(include.error());
  conditions->include = std::move(*include);
  auto exclude = compile(spec.exclude_models, "exclude-models");
  if (!exclude) return fail(exclude.error());
  conditions->exclude = std::move(*exclude);
  ModelFilter filter;
  filter.conditions_ = std::move(conditions);
  return filter;
}

std::string ModelFilter::refuses(const ModelInfo& model) const {
  const Conditions& c = *conditions_;
  for (const Pattern& pattern : c.exclude) {
    if (matches(pattern, model.name)) return fmt::format("--exclude-models {}", pattern.text);
  }
  if (!c.include.empty() && std::none_of(c.include.begin(), c.include.end(), [&](const Pattern& p) {
        return matches(p, model.name);
      })) {
    return "--include-models: its name does not match";
  }
  if (auto why = by_words(c.quants, model.quantization, "quants", "quantization"); !why.empty()) {
    return why;
  }
  if (auto why = by_words(c.architectures, model.architecture, "arch", "architecture");
      !why.empty()) {
    return why;
  }
  if (auto why = by_parameters(c.parameters, model.parameters); !why.empty()) return why;
  if (c.min_context) {
    if (!model.max_context) return unknown("min-context", "context");
    if (*model.max_context < *c.min_context) {
      return fmt::format("--min-context {}: it has {}", *c.min_context, *model.max_context);
    }
  }
  if (c.max_bytes) {
    if (!model.bytes) return unknown("max-size", "size");
    if (*model.bytes > *c.max_bytes) {
      return fmt::format("--max-size {}: it has {}", bytes_text(*c.max_bytes),
                         bytes_text(*model.bytes));
    }
  }
  if (auto why = by_ability(c.only_vision, model.vision, "only-vision", "take images");
      !why.empty()) {
    return why;
  }
  return by_ability(c.only_tools, model.tools, "only-tools", "call tools");
}

bool asks_for_details(const RunSpec& spec) {
  return spec.min_context || spec.only_vision || spec.only_tools || !spec.arch.empty() ||
         !spec.params.empty();
}

bool asks_for_all_models(const RunSpec& spec) {
  return spec.all_models || !spec.quants.empty() || !spec.arch.empty() || !spec.params.empty() ||
         spec.min_context || !spec.max_size.empty() || spec.only_vision || spec.only_tools ||
         !spec.include_models.empty() || !spec.exclude_models.empty();
}

}  // namespace assay
