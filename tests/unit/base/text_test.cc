#include "base/text.h"

#include <gtest/gtest.h>

#include "base/ids.h"
#include "base/varint.h"

namespace assay {
namespace {

TEST(ParseDuration, ReadsEveryUnit) {
  EXPECT_EQ(parse_duration("200ms").value(), Nanos(200'000'000));
  EXPECT_EQ(parse_duration("1.5s").value(), Nanos(1'500'000'000));
  EXPECT_EQ(parse_duration("2m").value(), Nanos(120'000'000'000));
  EXPECT_EQ(parse_duration("3us").value(), Nanos(3'000));
  EXPECT_EQ(parse_duration("0").value(), Nanos(0));
  EXPECT_EQ(parse_duration("1h").value(), Nanos(3'600'000'000'000));
}

TEST(ParseDuration, NamesWhatIsWrong) {
  for (const char* bad : {"", "ms", "5", "-1s", "3 parsecs", "1e300h", "nan"}) {
    const auto result = parse_duration(bad);
    ASSERT_FALSE(result) << bad;
    EXPECT_NE(result.error().message.find(std::string("'") + bad + "'"), std::string::npos);
  }
}

TEST(DurationText, RoundTrips) {
  for (const char* text : {"0s", "1ns", "1500ms", "2s", "90m", "17us"}) {
    EXPECT_EQ(duration_text(parse_duration(text).value()), text);
  }
}

TEST(GlobMatch, StarsAndQuestionMarks) {
  EXPECT_TRUE(glob_match("*", ""));
  EXPECT_TRUE(glob_match("qwen*", "qwen2.5:0.5b"));
  EXPECT_TRUE(glob_match("*:?b", "llama:7b"));
  EXPECT_FALSE(glob_match("qwen", "qwen2"));
  EXPECT_TRUE(glob_match("a*b*c", "a__b__c"));
}

TEST(DidYouMean, SuggestsOnlyNearNames) {
  EXPECT_EQ(did_you_mean("modles", {"models", "targets"}), "models");
  EXPECT_EQ(did_you_mean("zzzzzz", {"models", "targets"}), "");
}

TEST(Base64, RoundTripsEveryLength) {
  std::string bytes;
  for (int i = 0; i < 70; ++i) {
    EXPECT_EQ(base64_decode(base64_encode(bytes)).value(), bytes);
    bytes.push_back(static_cast<char>(i * 37));
  }
  EXPECT_FALSE(base64_decode("a"));
}

TEST(Utf8, ReplacesIllFormedSequences) {
  EXPECT_TRUE(is_valid_utf8("gr\xc3\xbc\xc3\x9f"));
  EXPECT_EQ(to_valid_utf8("a\xff\x62\xc3"),
            "a\xef\xbf\xbd"
            "b\xef\xbf\xbd");
  EXPECT_EQ(to_valid_utf8("\xed\xa0\x80").size(), 9U);  // A surrogate is three bad bytes.
}

TEST(Printable, StripsEscapesAndC1) {
  EXPECT_EQ(printable("a\x1b[31mb\n\n c\x7f\xc2\x9b!"), "a[31mb  c!");
  EXPECT_EQ(printable("abcdef", 3), "abc\xe2\x80\xa6");
}

TEST(Grouped, SeparatesThousands) {
  EXPECT_EQ(grouped(1234567.891, 1), "1,234,567.9");
  EXPECT_EQ(grouped(-0.0001, 1), "0.0");
  EXPECT_EQ(grouped(999, 0), "999");
}

TEST(BytesText, PicksTheUnit) {
  EXPECT_EQ(bytes_text(999), "999 B");
  EXPECT_EQ(bytes_text(1'310'000'000), "1.3 GB");
}

TEST(Varint, RoundTripsSignedValues) {
  std::string bytes;
  const int64_t values[] = {0, 1, -1, 127, 128, -300, INT64_MAX, INT64_MIN};
  for (const int64_t v : values) append_varint(bytes, zigzag(v));
  std::string_view rest = bytes;
  for (const int64_t v : values) EXPECT_EQ(unzigzag(take_varint(rest).value()), v);
  EXPECT_TRUE(rest.empty());
  EXPECT_FALSE(take_varint(rest));
}

TEST(Ids, UuidHasVersionAndVariant) {
  const std::string id = new_uuid4();
  ASSERT_EQ(id.size(), 36U);
  EXPECT_EQ(id[14], '4');
  EXPECT_NE(std::string("89ab").find(id[19]), std::string::npos);
  EXPECT_NE(id, new_uuid4());
}

TEST(Ids, Sha256OfAFrozenPrompt) {
  EXPECT_EQ(sha1_hex("abc"), "a9993e364706816aba3e25717850c26c9cd0d89d");
  Sha256 pieces;
  pieces.add("h");
  pieces.add("i");
  EXPECT_EQ(pieces.hex(), sha256_hex("hi"));
  EXPECT_EQ(sha256_hex("hi"), "8f434346648f6b96df89dda901c5176b10a6d83961dd3c1ac88b59b2dc327aa4");
}

TEST(PathName, IsTheLastPartOfAnAbsolutePathAlone) {
  EXPECT_EQ(path_name("/models/qwen3-8b.gguf"), "qwen3-8b.gguf");
  EXPECT_EQ(path_name("C:\\models\\qwen3-8b.gguf"), "qwen3-8b.gguf");
  EXPECT_EQ(path_name("ggml-org/gemma-3-4b-it-GGUF:Q4_K_M"), "ggml-org/gemma-3-4b-it-GGUF:Q4_K_M");
  EXPECT_EQ(path_name("llama3.2:1b"), "llama3.2:1b");
  EXPECT_EQ(path_name("/models/"), "/models/");
  EXPECT_EQ(path_name(""), "");
}

}  // namespace
}  // namespace assay
