#include "archive/private_text.h"

#include <arpa/inet.h>
#include <re2/re2.h>

#include <algorithm>
#include <array>
#include <memory>
#include <optional>

namespace assay {
namespace {

constexpr size_t kShown = 80;

bool is_alnum(char c) {
  return (c >= '0' && c <= '9') || (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z');
}

bool is_word(char c) { return is_alnum(c) || c == '_'; }

/// Whether [begin, end) does not go on in `text` as a longer dotted number or name would.
bool stands_alone(std::string_view text, size_t begin, size_t end) {
  if (begin > 0 && (is_word(text[begin - 1]) || text[begin - 1] == '.')) return false;
  if (end < text.size() && is_word(text[end])) return false;
  return end + 1 >= text.size() || text[end] != '.' || !is_word(text[end + 1]);
}

bool is_ipv4(std::string_view found) {
  in_addr address{};
  return inet_pton(AF_INET, std::string(found).c_str(), &address) == 1;
}

bool is_ipv6(std::string_view found) {
  in6_addr address{};
  return std::any_of(found.begin(), found.end(), is_alnum) &&
         inet_pton(AF_INET6, std::string(found).c_str(), &address) == 1;
}

struct Rule {
  std::string_view kind;
  const char* pattern;  ///< Its first group, where it has one, is what was found.
  bool secret = false;  ///< Also looked for in prompts.
  bool (*holds)(std::string_view found) = nullptr;
  /// Of names that may pass; null: none.
  std::set<std::string, std::less<>> Privacy::*passes = nullptr;
  bool alone = false;  ///< Only where no letter, digit or dotted part is next to it.
};

// The forms of keys are those that their issuers document.
constexpr std::array kRules{
    Rule{.kind = "IPv4 address",
         .pattern = R"(\d{1,3}(?:\.\d{1,3}){3})",
         .holds = is_ipv4,
         .passes = &Privacy::versions,
         .alone = true},
    Rule{.kind = "IPv6 address",
         .pattern = R"([0-9A-Fa-f:]*:[0-9A-Fa-f:]*:[0-9A-Fa-f:]*(?:\d{1,3}(?:\.\d{1,3}){3})?)",
         .holds = is_ipv6,
         .alone = true},
    Rule{.kind = "hardware address",
         .pattern = R"([0-9A-Fa-f]{2}(?:(?::[0-9A-Fa-f]{2}){5}|(?:-[0-9A-Fa-f]{2}){5}))",
         .alone = true},
    Rule{.kind = "account",
         .pattern = R"([A-Za-z0-9._%+-]+@[A-Za-z0-9](?:[A-Za-z0-9._-]*[A-Za-z0-9_])?)",
         .passes = &Privacy::names},
    Rule{.kind = "user information in a URL",
         .pattern = R"([A-Za-z][A-Za-z0-9+.-]*://[^\s/"'@]+@)",
         .secret = true},
    Rule{.kind = "home folder",
         .pattern = R"re((?:^|[^A-Za-z0-9_])(/(?:home|Users)/[^\s/"'\\]+|/(?:root)(?:/|\b)))re"},
    Rule{.kind = "home folder", .pattern = R"([A-Za-z]:(?:\\+|/)Users(?:\\+|/)[^\s/"'\\]+)"},
    Rule{.kind = "host name",
         .pattern =
             R"((?i)\b[a-z0-9][a-z0-9.-]*\.(?:local|lan|internal|intranet|corp|home\.arpa)\b)",
         .alone = true},
    Rule{.kind = "token", .pattern = R"((?i)\bbearer\s+[A-Za-z0-9._~+/=-]{16,})", .secret = true},
    Rule{.kind = "key", .pattern = R"(\bsk-[A-Za-z0-9_-]{16,})", .secret = true},
    Rule{.kind = "key", .pattern = R"(\bhf_[A-Za-z0-9]{16,})", .secret = true},
    Rule{.kind = "key", .pattern = R"(\bgh[pousr]_[A-Za-z0-9]{20,})", .secret = true},
    Rule{.kind = "key", .pattern = R"(\bgithub_pat_[A-Za-z0-9_]{20,})", .secret = true},
    Rule{.kind = "key", .pattern = R"(\b(?:AKIA|ASIA)[0-9A-Z]{16}\b)", .secret = true},
    Rule{.kind = "key", .pattern = R"(\bAIza[0-9A-Za-z_-]{35})", .secret = true},
    Rule{.kind = "key", .pattern = R"(\bxox[abeprs]-[A-Za-z0-9-]{10,})", .secret = true},
    Rule{.kind = "token",
         .pattern = R"(\beyJ[A-Za-z0-9_-]{8,}\.[A-Za-z0-9_-]{8,}\.[A-Za-z0-9_-]{4,})",
         .secret = true},
    Rule{.kind = "key", .pattern = R"(-----BEGIN [A-Z ]*PRIVATE KEY-----)", .secret = true},
    Rule{.kind = "serial number",
         .pattern = R"((?i:gpu-)[0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12})"},
    Rule{
        .kind = "serial number",
        .pattern =
            R"re((?i:serial(?:[ _-]?(?:number|no))?)["']?\s*[:=#]\s*["']?[A-Z0-9][A-Z0-9-]{5,})re"},
};

/// The rules, compiled once.
struct Compiled {
  std::vector<std::unique_ptr<RE2>> rules;
  RE2::Options options{RE2::Latin1};  // Any bytes: what is no UTF-8 is looked at as well.

  Compiled() {
    for (const Rule& rule : kRules) {
      rules.push_back(std::make_unique<RE2>(rule.pattern, options));
    }
  }
};

const Compiled& compiled() {
  static const Compiled once;
  return once;
}

/// Whether [begin, end) lies within an occurrence of one of `words`.
bool within(std::string_view text, size_t begin, size_t end,
            const std::set<std::string, std::less<>>& words) {
  return std::any_of(words.begin(), words.end(), [&](const std::string& word) {
    if (word.size() < end - begin) return false;
    const size_t reach = word.size() - (end - begin);
    size_t at = text.find(word, begin > reach ? begin - reach : 0);
    return at != std::string_view::npos && at <= begin;
  });
}

class Finder {
 public:
  Finder(std::string_view text, const Privacy& privacy) : text_(text), privacy_(privacy) {}

  void apply(const Rule& rule, const RE2& pattern) {
    re2::StringPiece rest(text_.data(), text_.size());
    const int groups = std::min(pattern.NumberOfCapturingGroups(), 1);
    std::array<re2::StringPiece, 2> match;
    while (pattern.Match(rest, 0, rest.size(), RE2::UNANCHORED, match.data(), groups + 1)) {
      const re2::StringPiece& found = match.at(static_cast<size_t>(groups));
      const auto begin = static_cast<size_t>(found.data() - text_.data());
      judge(rule, begin, begin + found.size());
      const size_t next = std::max<size_t>(begin + found.size(), 1 + begin);
      rest = re2::StringPiece(text_.data() + next, text_.size() - next);
    }
  }

  void look_for(const std::string& word) {
    for (size_t at = text_.find(word); at != std::string_view::npos;
         at = text_.find(word, at + 1)) {
      const bool inside = (at > 0 && is_word(text_[at - 1])) ||
                          (at + word.size() < text_.size() && is_word(text_[at + word.size()]));
      if (!inside) add("known here", at, at + word.size());
    }
  }

  std::vector<PrivateText> take() {
    std::stable_sort(found_.begin(), found_.end(),
                     [](const PrivateText& a, const PrivateText& b) { return a.at < b.at; });
    return std::move(found_);
  }

 private:
  void judge(const Rule& rule, size_t begin, size_t end) {
    const std::string_view found = text_.substr(begin, end - begin);
    if (rule.alone && !stands_alone(text_, begin, end)) return;
    if (rule.holds != nullptr && !rule.holds(found)) return;
    if (rule.passes != nullptr && within(text_, begin, end, privacy_.*rule.passes)) return;
    add(rule.kind, begin, end);
  }

  void add(std::string_view kind, size_t begin, size_t end) {
    if (within(text_, begin, end, privacy_.accepted)) return;
    found_.push_back(
        {kind, std::string(text_.substr(begin, std::min(end - begin, kShown))), begin});
  }

  std::string_view text_;
  const Privacy& privacy_;
  std::vector<PrivateText> found_;
};

}  // namespace

std::vector<PrivateText> find_private(std::string_view text, const Privacy& privacy,
                                      TextKind kind) {
  Finder finder(text, privacy);
  for (size_t i = 0; i < kRules.size(); ++i) {
    const Rule& rule = kRules.at(i);
    if (kind == TextKind::kAny || rule.secret) finder.apply(rule, *compiled().rules[i]);
  }
  for (const std::string& word : privacy.known) finder.look_for(word);
  return finder.take();
}

}  // namespace assay
