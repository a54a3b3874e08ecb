#include "archive/private_text.h"

#include <fmt/format.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <functional>
#include <random>
#include <string>
#include <vector>

namespace assay {
namespace {

using testing::IsEmpty;
using testing::SizeIs;

/// Texts with or without something private, drawn with a fixed seed.
class Corpus {
 public:
  explicit Corpus(uint64_t seed) : random_(seed) {}

  int64_t number(int64_t least, int64_t most) {
    return std::uniform_int_distribution<int64_t>(least, most)(random_);
  }
  std::string chars(std::string_view from, int64_t count) {
    std::string out;
    for (int64_t i = 0; i < count; ++i) {
      out += from[static_cast<size_t>(number(0, static_cast<int64_t>(from.size()) - 1))];
    }
    return out;
  }
  std::string name(int64_t count = 6) { return chars("abcdefghijklmnopqrstuvwxyz", count); }
  std::string alnum(int64_t count) {
    return chars("ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789", count);
  }
  std::string hex(int64_t count) { return chars("0123456789abcdef", count); }
  std::string ipv4() {
    return fmt::format("{}.{}.{}.{}", number(1, 255), number(0, 255), number(0, 255),
                       number(0, 255));
  }
  /// Something in the middle of a sentence, a JSON member, an address or a line of a log.
  std::string placed(const std::string& what) {
    switch (number(0, 3)) {
      case 0:
        return fmt::format("it said {} and went on", what);
      case 1:
        return fmt::format(R"({{"member":"{}","other":1}})", what);
      case 2:
        return fmt::format("{}.", what);
      default:
        return fmt::format("at 12:30:45 ({}), 3 of 5", what);
    }
  }

 private:
  std::mt19937_64 random_;
};

std::vector<std::string> positives(size_t count) {
  Corpus c(1);
  const std::vector<std::function<std::string()>> kinds{
      [&] { return c.ipv4(); },
      [&] { return fmt::format("http://{}:{}", c.ipv4(), c.number(1, 65535)); },
      [&] { return fmt::format("fd{}:{}::{}", c.hex(2), c.hex(4), c.number(1, 9)); },
      [&] { return fmt::format("[fe80::{}:{}]", c.hex(4), c.hex(4)); },
      [&] {
        return fmt::format("{}:{}:{}:{}:{}:{}", c.hex(2), c.hex(2), c.hex(2), c.hex(2), c.hex(2),
                           c.hex(2));
      },
      [&] { return fmt::format("{}@{}", c.name(), c.name()); },
      [&] { return fmt::format("{}@{}.example.org", c.name(), c.name()); },
      [&] { return fmt::format("https://{}:{}@example.org/v1", c.name(), c.alnum(9)); },
      [&] { return fmt::format("/home/{}/models", c.name()); },
      [&] { return fmt::format("/Users/{}/x.gguf", c.name()); },
      [&] { return fmt::format("C:\\Users\\{}\\x", c.name()); },
      [&] { return fmt::format("/{}/.cache", "root"); },
      [&] { return fmt::format("{}.local", c.name()); },
      [&] { return fmt::format("gpu-{}.internal:8000", c.number(1, 99)); },
      [&] { return "Bearer " + c.alnum(24); },
      [&] { return "sk-" + c.alnum(32); },
      [&] { return "sk-proj-" + c.alnum(32); },
      [&] { return "hf_" + c.alnum(34); },
      [&] { return "ghp_" + c.alnum(36); },
      [&] { return "AKIA" + c.chars("ABCDEFGHIJKLMNOPQRSTUVWXYZ234567", 16); },
      [&] { return "xoxb-" + c.chars("0123456789", 12); },
      [&] { return fmt::format("eyJ{}.eyJ{}.{}", c.alnum(20), c.alnum(30), c.alnum(40)); },
      [&] { return std::string("-----BEGIN RSA PRIVATE KEY-----"); },
      [&] {
        return fmt::format("GPU-{}-{}-{}-{}-{}", c.hex(8), c.hex(4), c.hex(4), c.hex(4), c.hex(12));
      },
      [&] { return "serial: " + c.chars("ABCDEFGH0123456789", 10); },
      [&] { return std::string("workbench-7"); },
  };
  std::vector<std::string> out;
  for (size_t i = 0; i < count; ++i) out.push_back(c.placed(kinds[i % kinds.size()]()));
  return out;
}

std::vector<std::string> negatives(size_t count) {
  Corpus c(2);
  const std::vector<std::function<std::string()>> kinds{
      [&] { return std::string("version 1.2.3.4"); },  // Stated by the run: see kPrivacy.
      [&] { return fmt::format("{}.{}.{}", c.number(0, 9), c.number(0, 99), c.number(0, 999)); },
      [&] { return fmt::format("b{} ({})", c.number(1000, 9999), c.hex(8)); },
      [&] { return fmt::format("{}.{}.{}.{}.{}", 1, c.number(0, 9), 3, 4, 5); },
      [&] { return fmt::format("999.{}.3.4", c.number(256, 999)); },
      [&] { return std::string("qwen3-8b@q4_k_m"); },
      [&] { return fmt::format("local:ollama:{}:{}b", c.name(), c.number(1, 70)); },
      [&] { return fmt::format("2026-11-{}T13:{}:{}.5Z", c.number(10, 30), c.number(10, 59), 42); },
      [&] { return c.hex(64); },
      [&] { return c.alnum(43) + "="; },
      [&] { return fmt::format("std::{}::{}", "string", c.name()); },
      [&] { return fmt::format("https://example.org/home/{}", c.name()); },
      [&] { return std::string("the roots of /rooted trees"); },
      [&] { return std::string("localhost serial processing, bearer of news"); },
      [&] { return fmt::format("risk-{} task-{}", c.name(), c.alnum(20)); },
      [&] { return fmt::format("p50 {} ms, ±{} %", c.number(1, 900), c.number(1, 9)); },
      [&] {
        return fmt::format("{}-{}-4{}-a{}-{}", c.hex(8), c.hex(4), c.hex(3), c.hex(3), c.hex(12));
      },
      [&] { return std::string("workbench-72 and myworkbench-7s"); },
  };
  std::vector<std::string> out;
  for (size_t i = 0; i < count; ++i) out.push_back(c.placed(kinds[i % kinds.size()]()));
  return out;
}

Privacy privacy() {
  return {.known = {"workbench-7"},
          .versions = {"1.2.3.4"},
          .names = {"qwen3-8b@q4_k_m"},
          .accepted = {}};
}

TEST(PrivateTextIn, FiveHundredTextsWithSomethingPrivateAreFound) {
  for (const std::string& text : positives(500)) {
    EXPECT_THAT(find_private(text, privacy()), testing::Not(IsEmpty())) << text;
  }
}

TEST(PrivateTextIn, FiveHundredTextsWithoutPass) {
  for (const std::string& text : negatives(500)) {
    const auto found = find_private(text, privacy());
    EXPECT_THAT(found, IsEmpty()) << text << ": " << found[0].kind << " " << found[0].text;
  }
}

TEST(PrivateTextIn, APromptMaySpeakOfAddressesAndHoldsNoKeys) {
  const auto found = find_private("10.0.0.1 is private, /Users/me too; sk-abcdefghijklmnopqrst",
                                  privacy(), TextKind::kPrompt);
  ASSERT_THAT(found, SizeIs(1));
  EXPECT_EQ(found[0].kind, "key");
}

TEST(PrivateTextIn, SaysWhatAndWhereInTheTextsOrder) {
  const auto found = find_private("see workbench-7 at 10.0.0.5", privacy());
  ASSERT_THAT(found, SizeIs(2));
  EXPECT_EQ(found[0].kind, "known here");
  EXPECT_EQ(found[0].at, 4U);
  EXPECT_EQ(found[1].text, "10.0.0.5");
}

TEST(PrivateTextIn, WhatSomebodyAcceptedPasses) {
  Privacy accepting = privacy();
  accepting.accepted = {"me@example.org"};
  EXPECT_THAT(find_private("questions to me@example.org", accepting), IsEmpty());
  EXPECT_THAT(find_private("questions to you@example.org", accepting), SizeIs(1));
}

TEST(PrivateTextIn, AVersionThatIsLongerIsNoExcuseForAnAddress) {
  EXPECT_THAT(find_private("11.2.3.4", privacy()), SizeIs(1));
  EXPECT_THAT(find_private("1.2.3.45", privacy()), SizeIs(1));
}

TEST(PrivateTextIn, BytesThatAreNoUtf8AreLookedAtToo) {
  EXPECT_THAT(find_private("\xff\xfe 10.0.0.5 \xff", privacy()), SizeIs(1));
}

}  // namespace
}  // namespace assay
