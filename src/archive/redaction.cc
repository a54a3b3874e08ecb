#include "archive/redaction.h"

#include <fmt/format.h>

#include <algorithm>
#include <filesystem>
#include <functional>
#include <nlohmann/json.hpp>
#include <optional>
#include <type_traits>
#include <vector>

#include "model/fields.h"
#include "model/json.h"
#include "net/url.h"

namespace assay {
namespace {

using Json = nlohmann::ordered_json;

/// Characters that names and addresses are made of: a word ends where none of them follows.
bool goes_on(std::string_view text, size_t at) {
  const auto is_word = [](char c) {
    return (c >= '0' && c <= '9') || (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || c == '_';
  };
  if (at >= text.size()) return false;
  if (is_word(text[at])) return true;
  return (text[at] == '.' || text[at] == '-') && at + 1 < text.size() && is_word(text[at + 1]);
}

bool begins_here(std::string_view text, size_t at) {
  if (at == 0) return true;
  const char before = text[at - 1];
  return !goes_on(text, at - 1) && before != '.' && before != '-';
}

/// Applies `change` to every string of a document, save the texts of prompts.
void change_strings(Json& json, const std::function<std::string(const std::string&)>& change) {
  if (json.is_string()) {
    json = change(json.get_ref<const std::string&>());
    return;
  }
  if (!json.is_structured()) return;
  for (Json& child : json) change_strings(child, change);
}

std::string without_folders(const std::string& value) {
  if (!value.starts_with('/') && !value.starts_with("~/")) return value;
  return std::filesystem::path(value).filename().string();
}

std::string redact_meta(std::string_view line, Aliases& aliases) {
  Json json = Json::parse(line);
  const auto replaced = [&](const std::string& text) { return aliases.apply(text); };
  for (auto& [name, value] : json.items()) {
    if (name == "options") {
      change_strings(value, without_folders);
    } else if (name == "prompts") {
      continue;
    }
    change_strings(value, replaced);
  }
  return json.dump(-1, ' ', false, Json::error_handler_t::replace);
}

CallRecord redact_call(CallRecord record, Aliases& aliases) {
  visit_fields(record, [&](std::string_view, auto&& member) {
    using Member = std::decay_t<decltype(member)>;
    if constexpr (std::is_same_v<Member, std::string>) {
      member = aliases.apply(member);
    } else if constexpr (std::is_same_v<Member, std::optional<std::string>>) {
      if (member) member = aliases.apply(*member);
    }
  });
  return record;
}

std::string node_of(const Cell& cell) { return cell.id.substr(0, cell.id.find(':')); }

}  // namespace

void Aliases::set(const std::string& real, const std::string& alias) {
  if (!real.empty()) words_[real] = alias;
}

void Aliases::suggest(const std::string& real, const std::string& alias) {
  if (!real.empty()) words_.emplace(real, alias);
}

std::string Aliases::apply(std::string_view text) {
  std::vector<std::pair<std::string_view, std::string_view>> longest_first(words_.begin(),
                                                                           words_.end());
  std::stable_sort(longest_first.begin(), longest_first.end(),
                   [](const auto& a, const auto& b) { return a.first.size() > b.first.size(); });
  const bool any = std::any_of(longest_first.begin(), longest_first.end(), [&](const auto& pair) {
    return text.find(pair.first) != std::string_view::npos;
  });
  if (!any) return std::string(text);
  std::string out;
  for (size_t at = 0; at < text.size();) {
    const auto found =
        std::find_if(longest_first.begin(), longest_first.end(), [&](const auto& pair) {
          return text.substr(at).starts_with(pair.first) && begins_here(text, at) &&
                 !goes_on(text, at + pair.first.size());
        });
    if (found == longest_first.end()) {
      out += text[at++];
      continue;
    }
    out += found->second;
    at += found->first.size();
    if (found->first != found->second) ++used_[std::string(found->second)];
  }
  return out;
}

void suggest_aliases(const RunMeta& meta, Aliases& aliases) {
  bool host_is_node = false;
  for (const Cell& cell : meta.cells) {
    const std::string node = node_of(cell);
    host_is_node = host_is_node || node == meta.host;
    if (const auto url = parse_url(cell.url)) aliases.suggest(url->host, node);
  }
  aliases.suggest(meta.host, host_is_node ? meta.host : "harness");
}

Result<std::string> redact_line(std::string_view line, Aliases& aliases) {
  const auto type = line_type(line);
  if (!type) return fail(type.error());
  switch (*type) {
    case LineType::kMeta: {
      const auto meta = parse_meta(line);
      if (!meta) return fail(meta.error());
      return redact_meta(meta_line(*meta), aliases);
    }
    case LineType::kCall: {
      auto record = parse_call(line);
      if (!record) return fail(record.error());
      return call_line(redact_call(std::move(*record), aliases));
    }
    case LineType::kEnd: {
      const auto end = parse_end(line);
      if (!end) return fail(end.error());
      return redact_meta(end_line(*end), aliases);
    }
    case LineType::kWait: {
      const auto wait = parse_wait(line);
      if (!wait) return fail(wait.error());
      return redact_meta(wait_line(*wait), aliases);
    }
    case LineType::kLoad: {
      const auto load = parse_load(line);
      if (!load) return fail(load.error());
      return redact_meta(load_line(*load), aliases);
    }
    case LineType::kResume: {
      const Json json = Json::parse(line);
      return resume_line(json.value("at_utc", ""), json.value("at_ns", int64_t{0}));
    }
    case LineType::kUnknown:
      break;
  }
  return fail(Errc::kProtocol, "a line of a kind that this version does not know");
}

}  // namespace assay
