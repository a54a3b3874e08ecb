#include "gguf/gguf_reader.h"

#include <gtest/gtest.h>
#include <sys/mman.h>

#include <string>

#include "base/files.h"
#include "support/gguf_bytes.h"

namespace assay {
namespace {

using namespace gguf_bytes;

// One q4_0 matrix of 64 values, which takes 36 bytes.
std::string small_file() {
  std::string bytes = start(1, 6);
  bytes += key("llama.context_length", kUint32) + raw<uint32_t>(2048);
  bytes += architecture();
  bytes += key("general.name", kString) + text("x");
  bytes += key("general.file_type", kUint32) + raw<uint32_t>(2);
  bytes += key("assay.random_weights", kBool) + raw<uint8_t>(1);
  bytes += key("words", kArray) + raw(kString) + raw<uint64_t>(2) + text("a") + text("bc");
  bytes += tensor("t", 32, 2, 2, 0);
  bytes.resize((bytes.size() + 31) / 32 * 32);
  return bytes + std::string(36, '\1');
}

Result<GgufInfo> read(const std::string& bytes) {
  const Fd file(::memfd_create("gguf", MFD_CLOEXEC));
  EXPECT_TRUE(write_all(file.get(), bytes, "memory").has_value());
  return read_gguf_info(file.get(), static_cast<int64_t>(bytes.size()), "x.gguf");
}

void expect_refused(const std::string& bytes, std::string_view reason) {
  const auto info = read(bytes);
  ASSERT_FALSE(info.has_value()) << reason;
  EXPECT_EQ(info.error().code, Errc::kInvalidArgument);
  EXPECT_NE(info.error().message.find(reason), std::string::npos) << info.error().message;
}

TEST(GgufReader, ReadsTheHeader) {
  const auto info = read(small_file());
  ASSERT_TRUE(info.has_value()) << info.error().message;
  EXPECT_EQ(info->architecture, "llama");
  EXPECT_EQ(info->name, "x");
  EXPECT_EQ(info->quantisation, "q4_0");
  EXPECT_EQ(info->parameters, 64);
  EXPECT_EQ(info->context_length, 2048);
  EXPECT_TRUE(info->random_weights);
  EXPECT_FALSE(info->scripted);
  EXPECT_EQ(info->tensors, 1);
}

TEST(GgufReader, RefusesAFileCutAtAnyByte) {
  const std::string whole = small_file();
  for (size_t bytes = 0; bytes < whole.size(); ++bytes) {
    EXPECT_FALSE(read(whole.substr(0, bytes)).has_value()) << bytes;
  }
}

TEST(GgufReader, SurvivesAnyByteReplaced) {
  const std::string whole = small_file();
  for (size_t at = 0; at < whole.size(); ++at) {
    for (const char value : {'\0', '\x7f', '\xff'}) {
      std::string changed = whole;
      changed[at] = value;
      (void)read(changed);
    }
  }
}

TEST(GgufReader, RefusesOtherFiles) {
  expect_refused("", "ends inside its header");
  expect_refused("GGML" + std::string(40, '\0'), "does not begin with GGUF");
  expect_refused(start(0, 0, 1), "version 1");
  expect_refused(start(0, 0, 4), "version 4");
  expect_refused(start(0, 0, 0x03000000), "big endian");
  expect_refused(start(0, 0) + std::string(32, '\0'), "names no architecture");
}

TEST(GgufReader, RefusesCountsAndLengthsBeyondItsLimits) {
  constexpr uint64_t kHuge = ~uint64_t{0};
  expect_refused(start(kHuge, 0), "tensors");
  expect_refused(start(0, kHuge), "metadata entries");
  expect_refused(start(0, 1) + raw(kHuge), "a text of");
  expect_refused(start(0, 1) + key("k", kString) + raw(kHuge), "ends inside its header");
  expect_refused(start(0, 1) + key("k", kArray) + raw(kUint32) + raw(kHuge), "an array of");
  expect_refused(start(0, 1) + key("k", 13), "a value of type 13");
  expect_refused(start(1, 0) + text("t") + raw<uint32_t>(5), "5 dimensions");
  expect_refused(start(1, 0) + tensor("t", kHuge >> 1, 3, 0, 0), "too large");
  expect_refused(start(1, 0) + tensor("t", 32, 1, 0, kHuge), "too large");
}

TEST(GgufReader, RefusesArraysNestedWithoutEnd) {
  std::string bytes = start(0, 1) + key("k", kArray);
  for (int depth = 0; depth < 10'000; ++depth) bytes += raw(kArray) + raw<uint64_t>(1);
  expect_refused(bytes, "arrays within arrays");
}

TEST(GgufReader, RefusesAnAlignmentThatIsNone) {
  for (const uint32_t alignment : {0U, 3U, 1U << 31}) {
    expect_refused(start(0, 1) + key("general.alignment", kUint32) + raw(alignment),
                   "an alignment of");
  }
}

TEST(GgufReader, NamesTheCommonestFormatWithoutAFileType) {
  std::string bytes = start(2, 1) + architecture();
  bytes += tensor("a", 32, 1, 8, 0) + tensor("b", 256, 2, 14, 64);
  bytes += std::string(1024, '\0');
  const auto info = read(bytes);
  ASSERT_TRUE(info.has_value()) << info.error().message;
  EXPECT_EQ(info->quantisation, "q6_k");
  EXPECT_FALSE(info->random_weights);
  EXPECT_FALSE(info->context_length.has_value());
}

TEST(GgufReader, TellsWhatAModelIsFor) {
  File file;
  file.string("general.architecture", "clip").string("general.type", "mmproj");
  file.string("tokenizer.chat_template", "{{ messages }}").number("clip.pooling_type", 2);
  file.matrix("token_embd.weight", 32, 7, 0, 896);
  const auto info = read(file.bytes());
  ASSERT_TRUE(info.has_value()) << info.error().message;
  EXPECT_EQ(info->type, "mmproj");
  EXPECT_TRUE(info->chat_template);
  EXPECT_TRUE(info->is_embedding);
  EXPECT_EQ(info->vocabulary, 7);
  EXPECT_EQ(info->matrix_values, (std::map<std::string, int64_t>{{"f32", 224}}));
  EXPECT_FALSE(info->cache_bytes_per_token.has_value());
}

TEST(GgufReader, CountsTheContextsBytesAlsoWhereLayersDiffer) {
  const auto with = [](const std::string& kv_heads) {
    File file;
    file.string("general.architecture", "llama").number("llama.block_count", 3);
    file.number("llama.attention.head_count", 8).number("llama.embedding_length", 512);
    if (!kv_heads.empty()) file.pair(kv_heads);
    return read(file.matrix("t", 32, 1, 0, 128).bytes())->cache_bytes_per_token;
  };
  constexpr double kHead = 2 * 64 * 2;  // Key and value of 64 values of two bytes.
  const std::string name = "llama.attention.head_count_kv";
  EXPECT_EQ(with(key(name, kUint32) + raw<uint32_t>(2)), 3 * 2 * kHead);
  EXPECT_EQ(with(""), 3 * 8 * kHead);  // As many as the queries have.
  const std::string each = raw<int32_t>(4) + raw<int32_t>(0) + raw<int32_t>(1);
  EXPECT_EQ(with(key(name, kArray) + raw(kInt32) + raw<uint64_t>(3) + each), 5 * kHead);
}

TEST(GgufReader, RefusesALayerListThatIsNone) {
  const std::string name = "llama.attention.head_count_kv";
  expect_refused(start(0, 1) + key(name, kArray) + raw(kInt32) + raw(~uint64_t{0}), "layers");
  expect_refused(start(0, 1) + key(name, kArray) + raw(kString) + raw<uint64_t>(1), "layers");
  expect_refused(start(0, 1) + key(name, kArray) + raw(kInt32) + raw<uint64_t>(4000),
                 "ends inside");
}

TEST(GgufReader, TellsThePartsOfASplitModel) {
  File first;
  first.string("general.architecture", "llama").small_number("split.no", 0);
  first.small_number("split.count", 2).signed_number("split.tensors.count", 1);
  const auto head = read(first.bytes());
  ASSERT_TRUE(head.has_value()) << head.error().message;  // It need not hold tensors.
  ASSERT_TRUE(head->split.has_value());
  EXPECT_EQ(head->split->count, 2);
  EXPECT_EQ(head->split->tensors, 1);
  // Later parts do not say what they are.
  File second;
  second.small_number("split.no", 1).small_number("split.count", 2).matrix("t", 32, 1, 0, 128);
  const auto tail = read(second.bytes());
  ASSERT_TRUE(tail.has_value()) << tail.error().message;
  EXPECT_EQ(tail->split->no, 1);
  EXPECT_EQ(tail->parameters, 32);
  // One of one is no part.
  File whole;
  whole.string("general.architecture", "llama").small_number("split.no", 0);
  whole.small_number("split.count", 1).matrix("t", 32, 1, 0, 128);
  EXPECT_FALSE(read(whole.bytes())->split.has_value());
}

TEST(GgufReader, DoesNotNameAFormatThatItDoesNotKnow) {
  File file;
  file.string("general.architecture", "llama").matrix("t", 32, 1, 99, 128);
  const auto info = read(file.bytes());
  ASSERT_TRUE(info.has_value()) << info.error().message;
  EXPECT_EQ(info->quantisation, "");
  EXPECT_EQ(info->matrix_values.begin()->first, "type 99");
  EXPECT_FALSE(info->token_cost.has_value());
}

TEST(GgufReader, SaysWhichFileIsMissing) {
  const auto info = read_gguf_info(std::filesystem::path("no/such.gguf"));
  ASSERT_FALSE(info.has_value());
  EXPECT_EQ(info.error().code, Errc::kNotFound);
  EXPECT_NE(info.error().message.find("no/such.gguf"), std::string::npos);
}

}  // namespace
}  // namespace assay
