#include "gguf/gguf_reader.h"

#include <gtest/gtest.h>
#include <sys/mman.h>

#include <string>

#include "base/files.h"

namespace assay {
namespace {

template <class T>
std::string raw(T value) {
  return {reinterpret_cast<const char*>(&value), sizeof value};
}
std::string text(std::string_view value) {
  return raw<uint64_t>(value.size()) + std::string(value);
}
std::string key(std::string_view name, uint32_t type) { return text(name) + raw(type); }

constexpr uint32_t kUint32 = 4;
constexpr uint32_t kBool = 7;
constexpr uint32_t kString = 8;
constexpr uint32_t kArray = 9;

std::string start(uint64_t tensors, uint64_t pairs, uint32_t version = 3) {
  return "GGUF" + raw(version) + raw(tensors) + raw(pairs);
}

std::string architecture() { return key("general.architecture", kString) + text("llama"); }

std::string tensor(std::string_view name, uint64_t columns, uint64_t rows, uint32_t type,
                   uint64_t offset) {
  return text(name) + raw<uint32_t>(2) + raw(columns) + raw(rows) + raw(type) + raw(offset);
}

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

TEST(GgufReader, SaysWhichFileIsMissing) {
  const auto info = read_gguf_info(std::filesystem::path("no/such.gguf"));
  ASSERT_FALSE(info.has_value());
  EXPECT_EQ(info.error().code, Errc::kNotFound);
  EXPECT_NE(info.error().message.find("no/such.gguf"), std::string::npos);
}

}  // namespace
}  // namespace assay
