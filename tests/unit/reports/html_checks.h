#pragma once

#include <gtest/gtest.h>

#include <algorithm>
#include <array>
#include <string>
#include <string_view>
#include <vector>

namespace assay {

inline size_t count(std::string_view text, std::string_view what) {
  size_t found = 0;
  for (size_t at = 0; (at = text.find(what, at)) != std::string_view::npos; at += what.size()) {
    ++found;
  }
  return found;
}

/// Every element is closed by its own end, in order.
inline void expect_balanced(std::string_view html) {
  constexpr std::array<std::string_view, 3> kVoid{"meta", "br", "!DOCTYPE"};
  std::vector<std::string> open;
  for (size_t at = 0; (at = html.find('<', at)) != std::string_view::npos;) {
    const size_t end = html.find('>', at);
    ASSERT_NE(end, std::string_view::npos);
    const std::string_view tag = html.substr(at + 1, end - at - 1);
    at = end + 1;
    if (tag.ends_with('/')) continue;
    const bool closes = tag.starts_with('/');
    const std::string name(tag.substr(closes ? 1 : 0, tag.find(' ') - (closes ? 1 : 0)));
    if (std::find(kVoid.begin(), kVoid.end(), name) != kVoid.end()) continue;
    if (!closes) {
      open.push_back(name);
      continue;
    }
    ASSERT_FALSE(open.empty()) << name;
    EXPECT_EQ(open.back(), name) << html.substr(at > 80 ? at - 80 : 0, 160);
    open.pop_back();
  }
  EXPECT_TRUE(open.empty());
}

/// Nothing that a browser would fetch.
inline void expect_alone(const std::string& html) {
  EXPECT_EQ(html.find("://"), std::string::npos);
  EXPECT_EQ(html.find(" src="), std::string::npos);
  EXPECT_EQ(count(html, "href="), count(html, "href=\"#"));
  EXPECT_NE(html.find("default-src 'none'"), std::string::npos);
}

/// Every link and button has exactly one place that it means.
inline void expect_links_lead_somewhere(const std::string& html) {
  for (const std::string_view mark : {"href=\"#", "popovertarget=\""}) {
    for (size_t at = 0; (at = html.find(mark, at)) != std::string::npos;) {
      at += mark.size();
      const std::string id = html.substr(at, html.find('"', at) - at);
      EXPECT_EQ(count(html, "id=\"" + id + "\""), 1U) << id;
    }
  }
}

}  // namespace assay
